# 1.1.x: an app that uvicorn serves.
import uvicorn

from agentscope_runtime.engine import AgentApp

my_app = AgentApp(app_name="uvicorn")


@my_app.query(framework="text")
async def answer(self, request, **kwargs):
    yield "served" + "".join(after)


after = []
uvicorn.run(my_app, port=8080, workers=2)
after.append(" and more")
