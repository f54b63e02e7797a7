# 1.0.x: a class of runners with a graph.
from langchain.agents import create_agent
from langchain_core.tools import tool
from scripted_langchain import ScriptedModel

from agentscope_runtime.engine.runner import Runner
from agentscope_runtime.engine.schemas.agent_schemas import AgentRequest


@tool
def get_weather(location: str) -> str:
    """Looks at the sky."""
    return f"sun in {location}"


class MyLangGraphRunner(Runner):
    def __init__(self) -> None:
        super().__init__()
        self.framework_type = "langgraph"

    async def init_handler(self, *args, **kwargs):
        self.agent = create_agent(ScriptedModel(), [get_weather])

    async def query_handler(self, msgs, request: AgentRequest = None, **kwargs):
        async for chunk, _meta_data in self.agent.astream({"messages": msgs}, stream_mode="messages"):
            yield chunk, getattr(chunk, "chunk_position", "") == "last"
