# A program whose main part relies on an import from `__future__`.
from __future__ import annotations

from agentscope_runtime.engine import AgentApp

if __name__ == "__main__":
    agent_app = AgentApp(app_name="future")

    @agent_app.query(framework="text")
    async def answer(self, request: Undefined, **kwargs):  # noqa: F821
        yield "from the future"
