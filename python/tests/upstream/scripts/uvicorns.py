# 1.1.x: an app that uvicorn serves.
import uvicorn

from agentscope_runtime.engine import AgentApp

my_app = AgentApp(app_name="uvicorn")


@my_app.query(framework="text")
async def answer(self, request, **kwargs):
    yield "served"


if __name__ == "__main__":
    uvicorn.run("uvicorns:my_app", host="0.0.0.0", port=8080, reload=False)
