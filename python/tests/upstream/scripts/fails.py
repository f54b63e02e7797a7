# Exceptions with codes.
from agentscope_runtime.engine import AgentApp
from agentscope_runtime.engine.schemas.exception import ModelTimeoutException, ToolNotFoundException

app = AgentApp()


@app.query(framework="text")
async def answer(self, request, **kwargs):
    yield "so far "
    if "tool" in request.input[-1].get_text_content():
        raise ToolNotFoundException("search")
    if "model" in request.input[-1].get_text_content():
        raise ModelTimeoutException("qwen", 30)
    raise KeyError("k")
