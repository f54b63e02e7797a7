# 1.1.x: an app that only the program makes, in the module that uvicorn is told.
import uvicorn

from agentscope_runtime.engine import AgentApp


def make():
    app = AgentApp(app_name="reloaded")

    @app.query(framework="text")
    async def answer(self, request, **kwargs):
        yield "made"

    return app


if __name__ == "__main__":
    uvicorn.run("uvicorn_reload:make", host="0.0.0.0", port=8080, reload=True, factory=True)
