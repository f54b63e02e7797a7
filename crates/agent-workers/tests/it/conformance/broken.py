from agent_server import agent


def broken(:
    pass
