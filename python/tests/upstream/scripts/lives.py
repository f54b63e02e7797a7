# Hooks that print, and an app that starts itself.
from agentscope_runtime.engine import AgentApp
from agentscope_runtime.engine.schemas.agent_schemas import Message, TextContent

app = AgentApp(app_name="lives")


@app.init
async def init(self):
    print("init")


@app.shutdown
def shutdown(self):
    print("shutdown")


@app.query(framework="autogen")
async def answer(self, request, **kwargs):
    yield Message(role="assistant", content=[TextContent(text="hello")]).completed()


app.run(port=1)
