# A program that asks at its end, and exits.
import sys

from agentscope_runtime.engine import AgentApp

app = AgentApp(app_name="exits")


@app.query(framework="text")
async def answer(self, request, **kwargs):
    yield "still here"


app.run(port=8090)
if input("Press Enter to stop. ") is not None:
    sys.exit(0)
