# A module of a package, with relative and absolute imports.
from agentscope_runtime.engine import AgentApp

from . import settings
from .tools import look
from weather_agent.settings import CITY

app = AgentApp(app_name="layout")


@app.query(framework="text")
async def answer(self, request, **kwargs):
    yield f"{look()} {CITY is settings.CITY} {__name__}"


if __name__ == "__main__":
    app.run()
