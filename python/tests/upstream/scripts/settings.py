# 1.1.x: every setting of an app that this server has no use for, or another one.
import asyncio

from agentscope_runtime.engine import AgentApp, Runner
from agentscope_runtime.engine.deployers.adapter.a2a import A2AFastAPIDefaultAdapter, AgentCardWithRuntimeConfig
from agentscope_runtime.engine.deployers.adapter.protocol_adapter import ProtocolAdapter
from agentscope_runtime.engine.deployers.adapter.responses.response_api_protocol_adapter import (
    ResponseAPIDefaultAdapter,
)
from agentscope_runtime.engine.deployers.utils.deployment_modes import DeploymentMode
from agentscope_runtime.engine.deployers.utils.service_utils.interrupt import RedisInterruptBackend
from agentscope_runtime.engine.schemas.agent_schemas import AgentRequest


class Echo(Runner):
    framework_type = "text"

    async def query_handler(self, request=None, **kwargs):
        if request.session_id == "slow":
            await asyncio.Event().wait()
        yield request.input[-1].get_text_content()


class Ping(ProtocolAdapter):
    def add_endpoint(self, app, func, **kwargs):
        app.add_api_route("/ping", self.ping, methods=["GET"])
        self.func = func

    async def ping(self):
        message = {"role": "user", "content": [{"type": "text", "text": "ping"}]}
        return [event.object async for event in self.func({"input": [message]})]


def restored(body: dict):
    return {"restored": body}


app = AgentApp(
    app_name="settings",
    endpoint_path="/chat",
    response_type="json",
    stream=False,
    request_model=AgentRequest,
    runner=Echo(),
    broker_url="redis://nowhere/0",
    backend_url="redis://nowhere/1",
    enable_embedded_worker=True,
    a2a_config=AgentCardWithRuntimeConfig(agent_card={"name": "x"}, task_timeout=60),
    interrupt_backend=RedisInterruptBackend("redis://nowhere/2"),
    interrupt_redis_url="redis://nowhere/3",
    mode=DeploymentMode.STANDALONE,
    protocol_adapters=[A2AFastAPIDefaultAdapter(agent_name="x"), ResponseAPIDefaultAdapter(), Ping()],
    custom_endpoints=[{"path": "/restored", "handler": restored, "methods": ["POST"]}],
    enable_stream_task=True,
    stream_task_queue="queries",
    stream_task_timeout=0.01,
    an_own_setting=7,
)
assert (app.endpoint_path, app.response_type, app.stream, app.an_own_setting) == ("/chat", "json", False, 7)


@app.task("/double", queue="celery1")
def double(request):
    return request["number"] * 2


@app.task("/nothing")
def nothing():
    return "nothing"


app.run_task_processor(loglevel="INFO", concurrency=2, queues=["celery1"])
app.run(host="0.0.0.0", port=8080, embed_task_processor=True, web_ui=True, reload=True)
