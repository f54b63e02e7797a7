# An `init` that fails.
from agentscope_runtime.engine import AgentApp

app = AgentApp()


@app.init
async def init(self):
    raise ConnectionError("no database")


@app.query(framework="text")
async def answer(self, request, **kwargs):
    yield "never"
