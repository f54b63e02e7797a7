"""AgentScope, 1.x and 2.x.

In 1.x, an agent prints messages that grow, which ``agentscope.pipeline.stream_printing_messages`` yields. In 2.x, an
agent streams events.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any, AsyncIterator, Awaitable, Callable, Mapping, Sequence

from .._run import Run
from ._turns import turns

__all__ = ["handler", "read", "write"]


async def write(run: Run, items: AsyncIterator[Any]) -> None:
    """Writes what an agent prints (1.x) or streams (2.x)."""
    writer: Any = None
    async for item in items:
        if writer is None:
            writer = _writer(run, item)
        await writer.add(item)
    if writer is not None:
        await writer.end()


def _writer(run: Run, item: Any) -> Any:
    if hasattr(item, "type"):
        from ._agentscope_events import Events

        return Events(run)
    from ._agentscope_snapshots import Snapshots

    return Snapshots(run)


def read(messages: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Converts messages to ``Msg`` objects. Messages with the same id, or the same ``original_id``, are one."""
    msg = _version().msg
    return [msg(turn) for turn in turns(messages)]


def handler(candidate: object) -> Callable[[Run], Awaitable[None]] | None:
    """Answers with an agent object: a copy of it for each run, with the state of the session."""
    if "agentscope.agent" not in sys.modules:
        return None
    found: Callable[[Run], Awaitable[None]] | None = _version().handler(candidate)
    return found


def _version() -> ModuleType:
    is_first = hasattr(import_module("agentscope.message"), "ToolUseBlock")
    return import_module("._agentscope_v1" if is_first else "._agentscope_v2", __package__)
