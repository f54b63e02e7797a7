# 1.0.x: an agent with a tool, whose memory is the session's history, and whose state is saved after each turn.
from agentscope.agent import ReActAgent
from agentscope.formatter import OpenAIChatFormatter
from agentscope.message import TextBlock
from agentscope.pipeline import stream_printing_messages
from agentscope.tool import Toolkit, ToolResponse
from scripted_agentscope import ScriptedModel

from agentscope_runtime.adapters.agentscope.memory import AgentScopeSessionHistoryMemory
from agentscope_runtime.engine.app import AgentApp
from agentscope_runtime.engine.schemas.agent_schemas import AgentRequest
from agentscope_runtime.engine.services.agent_state import InMemoryStateService
from agentscope_runtime.engine.services.session_history import InMemorySessionHistoryService

agent_app = AgentApp(app_name="Friday", app_description="A helpful assistant")
model = ScriptedModel()


def get_weather(city: str) -> ToolResponse:
    """Looks at the sky.

    Args:
        city (str): where
    """
    return ToolResponse(content=[TextBlock(type="text", text=f"sun in {city}")])


@agent_app.init
async def init_func(self):
    self.state_service = InMemoryStateService()
    self.session_service = InMemorySessionHistoryService()
    await self.state_service.start()
    await self.session_service.start()


@agent_app.shutdown
async def shutdown_func(self):
    await self.state_service.stop()
    await self.session_service.stop()


@agent_app.query(framework="agentscope")
async def query_func(self, msgs, request: AgentRequest = None, **kwargs):
    session_id, user_id = request.session_id, request.user_id
    state = await self.state_service.export_state(session_id=session_id, user_id=user_id)
    toolkit = Toolkit()
    toolkit.register_tool_function(get_weather)
    agent = ReActAgent(
        name="Friday",
        model=model,
        sys_prompt="You're a helpful assistant named Friday.",
        toolkit=toolkit,
        memory=AgentScopeSessionHistoryMemory(
            service=self.session_service, session_id=session_id, user_id=user_id
        ),
        formatter=OpenAIChatFormatter(),
    )
    if state:
        agent.load_state_dict(state)
    agent.set_console_output_enabled(False)
    async for msg, last in stream_printing_messages(agents=[agent], coroutine_task=agent(msgs)):
        yield msg, last
    await self.state_service.save_state(user_id=user_id, session_id=session_id, state=agent.state_dict())


if __name__ == "__main__":
    agent_app.run(host="127.0.0.1", port=8090)
