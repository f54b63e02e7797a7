"""Answers a run with the query function of a script."""

from __future__ import annotations

import asyncio
import importlib
from typing import TYPE_CHECKING, Any, AsyncIterator, Awaitable, Callable

from .. import _wire
from .._run import Run
from ._calls import Items, accepted
from ._convert import Converters, converted, messages_of
from ._current import enter
from ._depends import with_dependencies
from .schemas import AgentRequest, AgentResponse, Event
from .schemas.exceptions import AppBaseException
from .tracing import EventContext

if TYPE_CHECKING:
    from .runner import Runner


def agent_of(runner: Runner) -> Callable[[Run], Awaitable[None]]:
    """The function of an agent that answers with a runner."""

    async def agent(run: Run) -> None:
        enter(run)
        task = asyncio.current_task()
        assert task is not None
        key = (run.user_id, run.session_id)
        runner.tasks.setdefault(key, set()).add(task)
        try:
            await answer(runner, run)
        finally:
            runner.tasks[key].discard(task)
            if not runner.tasks[key]:
                del runner.tasks[key]

    return agent


async def answer(runner: Runner, run: Run, **others: Any) -> None:
    """Calls the query function, and writes its items to the run."""
    ids = {"session_id": run.session_id, "user_id": run.user_id}
    request = AgentRequest.model_validate({**run.request, **ids})
    response = AgentResponse(id=run.id, session_id=run.session_id).in_progress()
    framework = runner.framework()
    arguments: dict[str, Any] = {**others, "request": request, "response": response, "trace_event": EventContext()}
    if framework not in ("text", "autogen") and accepted(runner.query_handler, {"msgs": None}):
        arguments["msgs"] = await messages_of(runner, framework, run.input)

    async def query(found: dict[str, Any]) -> None:
        items = Items(runner.query_handler, {**arguments, **found})
        await _write_all(run, framework, items, runner.out_type_converters)

    try:
        await with_dependencies(runner.query_handler, runner.app, run, query)
    except AppBaseException as error:
        raise error.to_agent_error() from error


async def _write_all(run: Run, framework: str, items: Items, converters: Converters) -> None:
    cancelled = False
    try:
        await write_items(run, framework, converted(items, converters))
    except asyncio.CancelledError:
        cancelled = True
        raise
    finally:
        await items.close(cancelled)


def _frameworks() -> Any:
    return importlib.import_module("agent_server.frameworks")


async def write_items(run: Run, framework: str, items: AsyncIterator[Any]) -> None:
    """Writes the items of a framework and the events of the protocol."""
    others = _without_events(run, items)
    async for first in others:
        await _frameworks().write(run, framework, _again(first, others))


async def _again(first: Any, others: AsyncIterator[Any]) -> AsyncIterator[Any]:
    yield first
    async for item in others:
        yield item


async def _without_events(run: Run, items: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """Passes on the events that the function has built itself, and yields all other items."""
    async for item in items:
        if isinstance(item, Event):
            run._send_bytes(_wire.EVENT, 0, _json(item))
            await run._ready()
        else:
            yield item


def _json(event: Event) -> bytes:
    try:
        return event.model_dump_json().encode()
    except ValueError:
        # Half a character, which pydantic refuses.
        return _wire.json_bytes(event.model_dump())
