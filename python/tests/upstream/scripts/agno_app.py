# 1.0.x: an agent of Agno for each request, with a database for all of them.
from agno.agent import Agent
from agno.db.in_memory import InMemoryDb
from scripted_agno import ScriptedModel

from agentscope_runtime.engine import AgentApp
from agentscope_runtime.engine.schemas.agent_schemas import AgentRequest


def get_weather(location: str) -> str:
    """Looks at the sky."""
    return f"sun in {location}"


def run_app():
    agent_app = AgentApp(app_name="Friday", app_description="A helpful assistant")

    @agent_app.init
    async def init_func(self):
        self.db = InMemoryDb()

    @agent_app.query(framework="agno")
    async def query_func(self, msgs, request: AgentRequest = None, **kwargs):
        agent = Agent(
            name="Friday",
            instructions="You're a helpful assistant named Friday",
            model=ScriptedModel(),
            tools=[get_weather],
            db=self.db,
            session_id=request.session_id,
            add_history_to_context=True,
        )
        async for event in agent.arun(msgs, stream=True, stream_events=True):
            yield event

    agent_app.run(host="127.0.0.1", port=8090)


if __name__ == "__main__":
    run_app()
