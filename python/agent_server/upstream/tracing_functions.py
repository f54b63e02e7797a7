"""What upstream's scripts pass to ``trace``, or use on streams themselves."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, AsyncIterable, AsyncIterator, List, Optional, Tuple, TypeVar

from .schemas import AgentResponse, Event, Message, RunStatus

__all__ = [
    "aenumerate",
    "get_agent_message_finish_reason",
    "get_agent_response_finish_reason",
    "get_finish_reason",
    "merge_agent_message",
    "merge_agent_response",
    "merge_incremental_chunk",
]

Item = TypeVar("Item")


async def aenumerate(asequence: AsyncIterable[Item], start: int = 0) -> AsyncIterator[Tuple[int, Item]]:
    """Numbers the items of an asynchronous iterable."""
    number = start
    async for item in asequence:
        yield number, item
        number += 1


def get_finish_reason(response: Any) -> Optional[str]:
    """Why a chunk of a chat completion is the last one."""
    choices = getattr(response, "choices", None)
    return choices[0].finish_reason if choices else None


def get_agent_response_finish_reason(response: Any) -> Optional[str]:
    """``stop`` for a complete response."""
    is_whole = isinstance(response, AgentResponse) and response.status == RunStatus.Completed and response.output
    return "stop" if is_whole else None


def get_agent_message_finish_reason(message: Any) -> Optional[str]:
    """``stop`` for a complete message."""
    return "stop" if isinstance(message, Message) and message.status == RunStatus.Completed else None


def merge_incremental_chunk(responses: List[Any]) -> Any:
    """The last chunk of a chat completion, with the text of all of them."""
    if not responses:
        return None
    merged = deepcopy(next((chunk for chunk in reversed(responses) if chunk.choices), responses[-1]))
    for choice in merged.choices:
        deltas = [each.delta for chunk in responses for each in chunk.choices if each.index == choice.index]
        choice.delta.content = "".join(delta.content or "" for delta in deltas) or None
    merged.usage = next((chunk.usage for chunk in reversed(responses) if chunk.usage), None)
    return merged


def merge_agent_response(responses: List[Event]) -> AgentResponse:
    """The last response of a stream, or one of its complete messages."""
    if not responses:
        raise ValueError("Cannot merge empty response list")
    whole = [event for event in responses if isinstance(event, AgentResponse)]
    if whole:
        return whole[-1].model_copy(deep=True)
    response = AgentResponse()
    for event in responses:
        if get_agent_message_finish_reason(event):
            response.add_new_message(event)  # type: ignore[arg-type]
    return response.completed()


def merge_agent_message(messages: List[Event]) -> Event:
    """The last message of a stream, or what its last content says."""
    if not messages:
        raise ValueError("Cannot merge empty message list")
    whole = [event for event in messages if isinstance(event, Message)]
    return (whole or messages)[-1].model_copy(deep=True)
