# A flat script, whose package is in `src`.
from src.weather_agent.tools import look

from agentscope_runtime.engine import AgentApp

agent_app = AgentApp(app_name="flat")


@agent_app.query(framework="text")
async def answer(self, request, **kwargs):
    yield look()
