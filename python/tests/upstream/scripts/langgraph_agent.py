# 1.1.x: an agent of LangChain that is made in `init`, with a checkpointer and a store.
import uuid
from typing import AsyncIterator, List

from langchain.agents import AgentState, create_agent
from langchain_core.messages import BaseMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.store.memory import InMemoryStore
from scripted_langchain import ScriptedModel

from agentscope_runtime.engine import AgentApp
from agentscope_runtime.engine.schemas.agent_schemas import AgentRequest

agent_app = AgentApp(app_name="LangGraphAgent", app_description="A research assistant")


@tool
def get_weather(location: str) -> str:
    """Looks at the sky."""
    return f"sun in {location}"


class CustomAgentState(AgentState):
    user_id: str
    session_id: str


@agent_app.init
async def initialize(self):
    self.store = InMemoryStore()
    self.agent = create_agent(
        ScriptedModel(),
        [get_weather],
        system_prompt="You are a research assistant.",
        checkpointer=InMemorySaver(),
        store=self.store,
        state_schema=CustomAgentState,
        name="LangGraphAgent",
    )


@agent_app.query(framework="langgraph")
async def query_func(
    self, msgs: List[BaseMessage], request: AgentRequest = None, **kwargs
) -> AsyncIterator[tuple[BaseMessage, bool]]:
    ids = {"session_id": request.session_id, "user_id": request.user_id}
    async for chunk, meta_data in self.agent.astream(
        input={"messages": msgs, **ids},
        stream_mode="messages",
        config={"configurable": {"thread_id": request.session_id}},
    ):
        if meta_data["langgraph_node"] == "tools":
            self.store.put((request.user_id, "memories"), str(uuid.uuid4()), {"tool": chunk.name})
        yield chunk, getattr(chunk, "chunk_position", "") == "last"




if __name__ == "__main__":
    agent_app.run(host="127.0.0.1", port=8090)
