# 1.0.x: an agent of AgentScope whose memory is the conversation.
from agentscope.message import Msg

from agentscope_runtime.adapters.agentscope.long_term_memory import AgentScopeLongTermMemory
from agentscope_runtime.adapters.agentscope.memory import AgentScopeSessionHistoryMemory
from agentscope_runtime.engine import AgentApp
from agentscope_runtime.engine.services.memory import InMemoryMemoryService
from agentscope_runtime.engine.services.session_history import InMemorySessionHistoryService

app = AgentApp(app_name="with_memory")


@app.init
async def init(self):
    self.history = InMemorySessionHistoryService()
    self.memories = InMemoryMemoryService()
    await self.history.start()
    await self.memories.start()


@app.query(framework="text")
async def answer(self, request, **kwargs):
    ids = {"user_id": request.user_id, "session_id": request.session_id}
    memory = AgentScopeSessionHistoryMemory(service=self.history, **ids)
    question = Msg("user", request.input[-1].get_text_content(), "user")
    await memory.add(question)
    await memory.add(question)
    await memory.add(Msg("user", "think of the hint", "user"), marks="hint")
    with_hint = await memory.size()
    await memory.delete_by_mark("hint")
    texts = [msg.get_text_content() for msg in await memory.get_memory(exclude_mark=None)]
    long_term = AgentScopeLongTermMemory(service=self.memories, **ids)
    found = await long_term.retrieve(question)
    await long_term.record([question])
    session = await self.history.get_session(**ids)
    yield f"{with_hint} {texts} {found!r} {len(session.messages)}"
