# 1.1.x: an app that another one has mounted, in a server that a program awaits.
import asyncio

import uvicorn
from fastapi import FastAPI

from agentscope_runtime.engine import AgentApp

ended = []


async def main():
    agent = AgentApp(app_name="mounted")

    @agent.query(framework="text")
    async def answer(self, request, **kwargs):
        yield "mounted" + "".join(ended)

    outer = FastAPI()
    outer.mount("/agent", agent)
    await uvicorn.Server(uvicorn.Config(outer, port=8080)).serve()
    ended.append("ended")


asyncio.run(main())
