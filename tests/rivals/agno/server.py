"""Usage: server.py PORT memory|sqlite DATABASE"""

import sys
from dataclasses import dataclass

import uvicorn
from agno.agent import Agent
from agno.db.in_memory import InMemoryDb
from agno.db.sqlite import AsyncSqliteDb
from agno.models.base import Model
from agno.models.response import ModelResponse
from agno.os import AgentOS
from words import words

PORT, STORE, DATABASE = sys.argv[1:]


@dataclass
class Words(Model):
    id: str = "words"
    name: str = "words"
    provider: str = "words"

    async def ainvoke_stream(self, messages, *args, **kwargs):
        text = [message for message in messages if message.role == "user"][-1].content
        async for word in words(text):
            yield ModelResponse(role="assistant", content=word)

    # Agno demands these methods. Nothing here calls them.

    def invoke(self, *args, **kwargs):
        raise NotImplementedError

    def invoke_stream(self, *args, **kwargs):
        raise NotImplementedError

    async def ainvoke(self, *args, **kwargs):
        raise NotImplementedError

    def _parse_provider_response(self, response, **kwargs):
        return response

    def _parse_provider_response_delta(self, response):
        return response


db = InMemoryDb() if STORE == "memory" else AsyncSqliteDb(db_file=DATABASE)
agent = Agent(id="words", name="words", model=Words(), db=db, telemetry=False)
app = AgentOS(agents=[agent], telemetry=False).get_app()
uvicorn.run(app, host="127.0.0.1", port=int(PORT), log_level="warning", access_log=False)
