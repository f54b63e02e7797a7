"""Agents that work in a task of their own, so that they can end properly when their run is cancelled."""

from __future__ import annotations

import asyncio
from typing import Any, AsyncGenerator


async def items_of(agent: asyncio.Task[Any], items: asyncio.Queue[Any]) -> AsyncGenerator[Any, None]:
    """What the agent puts into the queue. It has ended when this does, whatever happens to the run."""
    end = object()
    agent.add_done_callback(lambda _: items.put_nowait(end))
    try:
        while (item := await items.get()) is not end:
            yield item
    finally:
        # An agent that is cancelled completes its memory, and may even answer that it was interrupted.
        agent.cancel()
        await asyncio.wait([agent])
        if not agent.cancelled():
            # Asked for, so that asyncio does not complain that nobody has.
            agent.exception()
    agent.result()
