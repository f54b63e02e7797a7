"""The lifespan of an application (ASGI 3.0, Lifespan Protocol)."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import AsyncIterator

from ._http import Application, Message


@asynccontextmanager
async def lifespan(application: Application) -> AsyncIterator[None]:
    """Starts an application, and stops it at the end. One that knows no lifespan is left alone."""
    events: asyncio.Queue[Message] = asyncio.Queue()
    answers: asyncio.Queue[Message] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": application.state}
    running = asyncio.ensure_future(application.asgi(scope, events.get, answers.put))

    async def tell(kind: str) -> None:
        await events.put({"type": kind})
        answer = asyncio.ensure_future(answers.get())
        await asyncio.wait({answer, running}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            answer.cancel()
        elif answer.result()["type"].endswith(".failed"):
            # What has failed says it best.
            await running
            raise RuntimeError(answer.result().get("message") or "the application has failed")

    try:
        await tell("lifespan.startup")
        yield
        if not running.done():
            await tell("lifespan.shutdown")
    finally:
        running.cancel()
