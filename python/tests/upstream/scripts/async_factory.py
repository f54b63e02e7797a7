# A module with functions that make the app, one of which needs an argument.
from __future__ import annotations

import asyncio

from agentscope_runtime.engine import AgentApp


def create_app(name: str) -> AgentApp:
    return AgentApp(app_name=name)


async def create_agent_app() -> AgentApp:
    await asyncio.sleep(0)
    app = create_app("made-in-a-loop")

    @app.query(framework="text")
    async def answer(self, request: Undefined, **kwargs):  # noqa: F821
        yield "from a factory"

    return app
