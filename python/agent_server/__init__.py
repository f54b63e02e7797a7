"""Agents in Python, served by agent-server.

An agent is a function that takes a run. This one answers with its input, word by word::

    from agent_server import Run, agent

    @agent
    async def echo(run: Run):
        for word in run.text.split():
            yield word + " "

``agent-server serve app.py`` serves it.
"""

from ._agents import Agent, agent, mount, serve
from ._errors import AgentError, StepCutOff, StepFailed, Suspended, ToolError
from ._run import Approval, Message, Run, Tool, ToolCall, text_of

__all__ = [
    "Agent",
    "AgentError",
    "Approval",
    "Message",
    "Run",
    "StepCutOff",
    "StepFailed",
    "Suspended",
    "Tool",
    "ToolCall",
    "ToolError",
    "agent",
    "mount",
    "serve",
    "text_of",
]

# A constant, because in a worker this is the server's own copy, whatever version is installed.
__version__ = "0.1.0"
