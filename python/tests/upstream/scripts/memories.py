# 1.0.x: memories of the user, and a history that the script appends to.
from agentscope_runtime.engine import AgentApp
from agentscope_runtime.engine.schemas.agent_schemas import Message, MessageType, Role, TextContent
from agentscope_runtime.engine.services.memory import InMemoryMemoryService
from agentscope_runtime.engine.services.session_history import InMemorySessionHistoryService
from agentscope_runtime.engine.tracing import TraceType, trace

app = AgentApp(app_name="memories")


@app.init
async def init(self):
    self.memory = InMemoryMemoryService()
    self.history = InMemorySessionHistoryService()
    await self.memory.start()
    await self.history.start()


@trace(trace_type=TraceType.MEMORY, trace_name="recall")
async def recall(service, user_id, message):
    return await service.search_memory(user_id, [message], filters={"top_k": 3})


@app.query(framework="text")
async def answer(self, request, **kwargs):
    message = request.input[-1]
    found = await recall(self.memory, request.user_id, message)
    await self.memory.add_memory(request.user_id, [message], request.session_id)
    session = await self.history.get_session(request.user_id, request.session_id)
    reply = Message(type=MessageType.MESSAGE, role=Role.ASSISTANT, content=[TextContent(text="noted")])
    await self.history.append_message(session, [message, reply])
    again = await self.history.get_session(request.user_id, request.session_id)
    other = await self.history.get_session(request.user_id, "another")
    await self.history.append_message(other, {"role": "user", "content": [{"type": "text", "text": "x"}]})
    found_texts = ",".join(each.get_text_content() for each in found)
    yield f"{found_texts}|{len(again.messages)}|{len(session.messages)}|{len(other.messages)}"


app.run()
