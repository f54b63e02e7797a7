# 1.0.x: a class of runners with an agent of Agno.
from agno.agent import Agent
from scripted_agno import ScriptedModel

from agentscope_runtime.engine.runner import Runner
from agentscope_runtime.engine.schemas.agent_schemas import AgentRequest


class AgnoRunner(Runner):
    def __init__(self) -> None:
        super().__init__()
        self.framework_type = "agno"

    async def query_handler(self, msgs, request: AgentRequest = None, **kwargs):
        agent = Agent(name="Friday", model=ScriptedModel())
        async for event in agent.arun(msgs, stream=True, stream_events=True):
            yield event
