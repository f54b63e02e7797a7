"""Agno: an agent without tools and without a database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, AsyncIterator

from agno.agent import Agent
from agno.models.base import Model
from agno.models.response import ModelResponse

from . import WORDS


@dataclass
class Scripted(Model):
    """Says the words."""

    id: str = "scripted"

    def invoke(self, *arguments: Any, **options: Any) -> Any:
        raise NotImplementedError

    ainvoke = invoke_stream = _parse_provider_response = _parse_provider_response_delta = invoke

    async def ainvoke_stream(self, *arguments: Any, **options: Any) -> AsyncIterator[ModelResponse]:
        for word in WORDS:
            yield ModelResponse(content=word)


def agent() -> Any:
    return Agent(name="Friday", model=Scripted(), telemetry=False)


AGENT = agent()


def stream() -> AsyncIterator[Any]:
    return AGENT.arun("Hello", stream=True, stream_events=True, session_id="s", user_id="u")
