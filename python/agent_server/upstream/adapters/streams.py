"""The streams of frameworks as events of the protocol, for scripts that adapt them themselves."""

from __future__ import annotations

from typing import Any, AsyncGenerator, AsyncIterator, Callable

from .._answer import write_items
from .._convert import Converters, converted
from .._stream import written
from ..schemas import AgentRequest, AgentResponse, Event

__all__ = [
    "adapt_agentscope_message_stream",
    "adapt_agno_message_stream",
    "adapt_langgraph_message_stream",
    "adapt_ms_agent_framework_message_stream",
    "adapt_text_stream",
]

Adapter = Callable[..., AsyncIterator[Event]]


def _adapter(framework: str) -> Adapter:
    async def adapt(source_stream: AsyncIterator[Any], type_converters: Converters = None) -> AsyncGenerator[Event, None]:
        """The events for the items of a stream."""
        items = converted(source_stream, type_converters)
        work = lambda run: write_items(run, framework, items)  # noqa: E731
        async for event in written(work, AgentRequest(input=[]), AgentResponse()):
            yield event

    return adapt


adapt_agentscope_message_stream = _adapter("agentscope")
adapt_agno_message_stream = _adapter("agno")
adapt_langgraph_message_stream = _adapter("langgraph")
adapt_ms_agent_framework_message_stream = _adapter("ms_agent_framework")
adapt_text_stream = _adapter("text")
