# 1.1.x: an agent whose memory is in a session of AgentScope, saved also when the run is stopped.
import asyncio
from contextlib import asynccontextmanager

import fakeredis
from agentscope.agent import ReActAgent
from agentscope.formatter import OpenAIChatFormatter
from agentscope.memory import InMemoryMemory
from agentscope.pipeline import stream_printing_messages
from agentscope.session import RedisSession
from agentscope.tool import Toolkit
from fastapi import FastAPI
from scripted_agentscope import ScriptedModel

from agentscope_runtime.engine import AgentApp
from agentscope_runtime.engine.schemas.agent_schemas import AgentRequest

saved = []


@asynccontextmanager
async def lifespan(app: FastAPI):
    app.state.session = RedisSession(
        connection_pool=fakeredis.aioredis.FakeRedis(decode_responses=True).connection_pool
    )
    yield


agent_app = AgentApp(app_name="Friday", app_description="A helpful assistant", lifespan=lifespan)
model = ScriptedModel(waits=True)


@agent_app.query(framework="agentscope")
async def query_func(self, msgs, request: AgentRequest = None, **kwargs):
    session_id, user_id = request.session_id, request.user_id
    agent = ReActAgent(
        name="Friday",
        model=model,
        sys_prompt="You're a helpful assistant named Friday.",
        toolkit=Toolkit(),
        memory=InMemoryMemory(),
        formatter=OpenAIChatFormatter(),
    )
    agent.set_console_output_enabled(enabled=False)
    await agent_app.state.session.load_session_state(session_id=session_id, user_id=user_id, agent=agent)
    try:
        async for msg, last in stream_printing_messages(agents=[agent], coroutine_task=agent(msgs)):
            yield msg, last
    except asyncio.CancelledError:
        await agent.interrupt()
        raise
    finally:
        await agent_app.state.session.save_session_state(session_id=session_id, user_id=user_id, agent=agent)
        saved.append([msg.get_text_content() for msg in await agent.memory.get_memory()])


@agent_app.post("/stop")
async def stop_task(request: AgentRequest):
    await agent_app.stop_chat(user_id=request.user_id, session_id=request.session_id)
    return {"status": "success"}


agent_app.run(host="127.0.0.1", port=8090)
