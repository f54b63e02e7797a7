"""Converters of a script, which come before those of the frameworks."""

from __future__ import annotations

import copy
import importlib
import inspect
from typing import TYPE_CHECKING, Any, AsyncIterator, Callable, Mapping, Optional, Sequence

from .schemas import Message

if TYPE_CHECKING:
    from .runner import Runner

Converters = Optional[Mapping[str, Callable[..., Any]]]


async def messages_of(runner: Runner, framework: str, messages: Sequence[Mapping[str, Any]]) -> list[Any]:
    """The framework's messages for those of a request."""
    frameworks: Any = importlib.import_module("agent_server.frameworks")
    converters = runner.in_type_converters or {}
    found: list[Any] = []
    others: list[Mapping[str, Any]] = []
    for message in messages:
        convert = converters.get(message.get("type") or "message")
        if convert is None:
            others.append(message)
            continue
        # Those before it at once, because several of them can become one.
        found += frameworks.read(framework, others)
        others = []
        result = convert(Message.model_validate(message))
        result = await result if inspect.isawaitable(result) else result
        found += result if isinstance(result, list) else [result]
    return found + list(frameworks.read(framework, others))


def converted(items: AsyncIterator[Any], converters: Converters) -> AsyncIterator[Any]:
    """The items of AgentScope without the blocks that the script converts, whose events come instead."""
    return _converted(items, converters) if converters else items


async def _converted(items: AsyncIterator[Any], converters: Mapping[str, Callable[..., Any]]) -> AsyncIterator[Any]:
    async for item in items:
        blocks = getattr(item[0], "content", None) if isinstance(item, tuple) else None
        if not isinstance(blocks, list) or not any(_type(block) in converters for block in blocks):
            yield item
            continue
        msg, last = copy.copy(item[0]), item[1]
        msg.content = [block for block in blocks if _type(block) not in converters]
        if msg.content:
            yield msg, last
        for block in blocks:
            if _type(block) in converters:
                async for event in _events(converters[_type(block)], block, item[0], last):
                    yield event


def _type(block: Any) -> Any:
    return block.get("type") if isinstance(block, dict) else None


async def _events(convert: Callable[..., Any], block: Any, msg: Any, last: bool) -> AsyncIterator[Any]:
    message = Message(role="assistant")
    result = convert(block, message, last, False, msg.metadata, getattr(msg, "usage", None))
    if hasattr(result, "__aiter__"):
        async for event in result:
            yield event
    elif hasattr(result, "__next__"):
        for event in result:
            yield event
    else:
        kind = _type(block)
        raise TypeError(f"out_type_converters[{kind!r}] returns no generator of events, but {type(result).__name__}")
