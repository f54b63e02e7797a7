# 1.1.x: a query that is cancelled saves its state, in a worker.
import asyncio

from agentscope_runtime.engine import AgentApp
from agentscope_runtime.engine.schemas.agent_schemas import Message, TextContent

agent_app = AgentApp(app_name="cancels")


@agent_app.query(framework="autogen")
async def query_func(self, request=None, response=None, **kwargs):
    try:
        yield Message(role="assistant", content=[TextContent(text="hello")]).completed()
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        await asyncio.sleep(0)
        print("saved")
        raise
