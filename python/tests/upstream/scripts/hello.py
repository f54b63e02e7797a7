# 1.0.x: services in `init`, an app that starts itself at the end of the file.
from agentscope_runtime.engine import AgentApp
from agentscope_runtime.engine.schemas.agent_schemas import AgentRequest
from agentscope_runtime.engine.services.agent_state import InMemoryStateService
from agentscope_runtime.engine.services.session_history import InMemorySessionHistoryService

agent_app = AgentApp(app_name="Friday", app_description="A helpful assistant")
ended = []


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
    ended.append(True)


@agent_app.query(framework="agentscope")
async def query_func(self, msgs, request: AgentRequest = None, **kwargs):
    state = await self.state_service.export_state(session_id=request.session_id, user_id=request.user_id) or {"turn": 0}
    session = await self.session_service.get_session(request.user_id, request.session_id)
    state["turn"] += 1
    yield f"turn {state['turn']} after {len(session.messages)}: ", False
    yield msgs[-1], True
    await self.state_service.save_state(user_id=request.user_id, session_id=request.session_id, state=state)


agent_app.run(host="127.0.0.1", port=8090, web_ui=True, log_level="info")
after = "reached"
