# 1.1.x: `lifespan`, `app.state`, `response`.
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request

from agentscope_runtime.engine import AgentApp
from agentscope_runtime.engine.schemas.agent_schemas import AgentRequest, AgentResponse

log = []


@asynccontextmanager
async def lifespan(app: FastAPI):
    app.state.session = {"name": "fake"}
    log.append("start")
    try:
        yield {"connection": "ready"}
    finally:
        log.append("end")


async def before(app, **kwargs):
    log.append("before")


def after(app):
    log.append("after")


app = AgentApp(
    app_name="Friday",
    app_description="A helpful assistant",
    lifespan=lifespan,
    before_start=before,
    after_finish=after,
    enable_stream_task=True,
    interrupt_redis_url=None,
    mode="daemon_thread",
    version="7",
)


@app.query(framework="agentscope")
async def query_func(self, msgs, request: AgentRequest = None, response: AgentResponse = None, **kwargs):
    assert isinstance(app, FastAPI) and response.status == "in_progress"
    yield app.state.session["name"] + " " + msgs[0], True


@app.get("/prepared")
async def prepared(request: Request):
    return {"connection": request.state.connection}


app.run(host="127.0.0.1", port=8090)
