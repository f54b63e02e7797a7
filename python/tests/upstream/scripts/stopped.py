# 1.1.x: a route that stops the chat of a session.
import asyncio

from agentscope_runtime.engine import AgentApp
from agentscope_runtime.engine.schemas.agent_schemas import AgentRequest

app = AgentApp(app_name="stopped")


@app.post("/stop")
async def stop(request: AgentRequest):
    await app.stop_chat(user_id=request.user_id, session_id=request.session_id)
    return {"status": "stopping"}


@app.query(framework="text")
async def query_func(self, request: AgentRequest = None, **kwargs):
    yield "working"
    await asyncio.sleep(3600)
