"""Pydantic AI: an agent that calls a tool and then answers."""

from __future__ import annotations

from typing import Any, AsyncIterator

from pydantic_ai import Agent
from pydantic_ai.models.function import DeltaToolCall, FunctionModel

from . import WORDS


async def pieces(messages: list[Any], _info: Any) -> AsyncIterator[Any]:
    """Calls the tool once, and then says the words."""
    if len(messages) == 1:
        yield {0: DeltaToolCall(name="search", json_args="{}", tool_call_id="call")}
        return
    for word in WORDS:
        yield word


def agent() -> Any:
    made = Agent(FunctionModel(stream_function=pieces))

    @made.tool_plain
    async def search() -> str:
        """Searches."""
        return "found"

    return made


AGENT = agent()


async def stream() -> AsyncIterator[Any]:
    events = AGENT.run_stream_events("Hello")
    if hasattr(events, "__aenter__"):
        async with events as opened:
            async for event in opened:
                yield event
    else:
        async for event in events:
            yield event
