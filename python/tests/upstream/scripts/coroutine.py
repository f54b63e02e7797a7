# A query function that returns one item, and takes only what it needs.
from agentscope_runtime.engine import AgentApp


def create_app():
    app = AgentApp(app_name="coroutine")

    @app.query(framework="langgraph")
    async def answer(self, msgs):
        return " and ".join(msgs)

    return app
