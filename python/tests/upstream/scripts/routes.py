# 1.1.x: the app is a FastAPI, and its query function has dependencies.
from typing import Annotated

from fastapi import Depends, Request
from fastapi.middleware.cors import CORSMiddleware

from agentscope_runtime.engine.app import AgentApp

app = AgentApp(app_name="routes")
app.add_middleware(CORSMiddleware, allow_origins=["*"])
app.state.language = "de"
closed = []


def settings(request: Request):
    return {"language": request.app.state.language}


async def connection(found: Annotated[dict, Depends(settings)]):
    yield f"connected in {found['language']}"
    closed.append(True)


@app.get("/info")
async def info(found: dict = Depends(settings)):
    return found


@app.middleware("http")
async def add_header(request: Request, call_next):
    response = await call_next(request)
    response.headers["x-own"] = "1"
    return response


@app.query(framework="text")
async def answer(self, request, found: str = Depends(connection), **kwargs):
    yield found


if __name__ == "__main__":
    app.run()
