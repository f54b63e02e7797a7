"""Event loops that a script runs while it is loaded, which happens in a callback of the worker's own loop.

``asyncio.run(main())`` works as in a program: the next line of the script follows the end of ``main``. But programs often
deploy an app in ``main`` and then wait for ever, so a loop whose code has begun to serve is not waited for: it continues in
a thread.

Outside such loops, the running loop of a script that is loaded is the worker's: clients and checkpointers that are made at
its top belong to the loop in which the agents run.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import threading
from contextlib import contextmanager
from typing import Any, Callable, Iterator

log = logging.getLogger("agent_server")

_TURNS = 10
"""How often a loop turns for what its code does at once after it has begun to serve."""

_serving: dict[asyncio.AbstractEventLoop, asyncio.Event] = {}
"""The loops of the script, and whether their code has begun to serve."""

_continuing: set[asyncio.AbstractEventLoop] = set()
"""Those that have a thread."""


def begin_to_serve() -> None:
    """Lets the script be loaded further, though the coroutine that calls this has not ended."""
    event = _serving.get(asyncio.get_running_loop())
    if event is not None:
        event.set()


@contextmanager
def script_loops() -> Iterator[None]:
    """Lets a script that is loaded in a callback of a loop run loops of its own."""
    running, thread = asyncio._get_running_loop(), threading.get_ident()
    new_event_loop, original_run, is_loading = asyncio.new_event_loop, asyncio.run, True
    get_running_loop = asyncio.get_running_loop

    def make() -> asyncio.AbstractEventLoop:
        return _extended(new_event_loop())

    def run(main: Any, **options: Any) -> Any:
        # Scripts that have imported the name call it in threads of their agents, too.
        return _run(make(), main) if is_loading else original_run(main, **options)

    def current() -> asyncio.AbstractEventLoop:
        is_outside = is_loading and threading.get_ident() == thread and asyncio._get_running_loop() is None
        return running if is_outside and running is not None else get_running_loop()

    asyncio.run, asyncio.new_event_loop = run, make
    for module in (asyncio, asyncio.events):
        setattr(module, "get_running_loop", current)
    asyncio._set_running_loop(None)
    asyncio.set_event_loop(make())
    try:
        yield
    finally:
        is_loading = False
        # A script that has put its own functions there, as `nest_asyncio` does, keeps them.
        asyncio.run = original_run if asyncio.run is run else asyncio.run
        asyncio.new_event_loop = new_event_loop if asyncio.new_event_loop is make else asyncio.new_event_loop
        for module in (asyncio, asyncio.events):
            if getattr(module, "get_running_loop") is current:
                setattr(module, "get_running_loop", get_running_loop)
        asyncio.set_event_loop(running)
        asyncio._set_running_loop(running)


def _extended(loop: asyncio.AbstractEventLoop) -> asyncio.AbstractEventLoop:
    _serving[loop] = asyncio.Event()
    # On the object: `nest_asyncio` changes the class, which the worker's loop shares.
    until = functools.partial(_until_served, loop, loop.run_until_complete)
    loop.run_until_complete = until  # type: ignore[method-assign]
    return loop


def _until_served(loop: asyncio.AbstractEventLoop, run: Callable[[Any], Any], future: Any) -> Any:
    if loop in _continuing:
        # `nest_asyncio` waits once more for what has not ended.
        return None
    task = asyncio.ensure_future(future, loop=loop)
    run(_end_or_service(task, _serving[loop]))
    if task.done():
        return task.result()
    task.add_done_callback(_report)
    _continuing.add(loop)
    threading.Thread(target=loop.run_forever, name="main program of the script", daemon=True).start()
    return None


async def _end_or_service(task: asyncio.Future[Any], is_serving: asyncio.Event) -> None:
    service = asyncio.ensure_future(is_serving.wait())
    await asyncio.wait((task, service), return_when=asyncio.FIRST_COMPLETED)
    service.cancel()
    for _ in range(_TURNS):
        await asyncio.sleep(0)


def _report(task: asyncio.Future[Any]) -> None:
    error = None if task.cancelled() else task.exception()
    if isinstance(error, Exception) and not isinstance(error, EOFError):
        log.warning("the main program of the script has failed, and its app is served on", exc_info=error)


def _run(loop: asyncio.AbstractEventLoop, main: Any) -> Any:
    """What ``asyncio.run`` does, unless the loop continues."""
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(main)
    finally:
        asyncio.set_event_loop(None)
        if loop not in _continuing:
            _end(loop)


def _end(loop: asyncio.AbstractEventLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
