# 1.1.x: an interrupted query saves its state.
import asyncio

from agentscope_runtime.engine import AgentApp
from agentscope_runtime.engine.schemas.agent_schemas import AgentRequest
from agentscope_runtime.engine.services.agent_state import InMemoryStateService

app = AgentApp(app_name="interrupts")
states = InMemoryStateService()
waits = asyncio.Event()


@app.init
async def init(self):
    await states.start()


@app.post("/stop")
async def stop(request: AgentRequest):
    await app.stop_chat(user_id=request.user_id, session_id=request.session_id)
    return {"status": "stopping"}


@app.query(framework="agentscope")
async def query_func(self, msgs, request: AgentRequest = None, response=None, **kwargs):
    try:
        yield "working ", False
        waits.set()
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        await states.save_state(user_id="kept", state={"interrupted": True})
        raise
