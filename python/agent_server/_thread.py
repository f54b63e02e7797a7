"""Functions without ``await``, in threads."""

from __future__ import annotations

import asyncio
import contextvars
import functools
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, AsyncIterator, Callable, Iterator

_END = object()


class RunThread:
    """A thread for one run. It is the same for all of the run's calls, since many libraries depend on it."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="agent-server-run")

    def __enter__(self) -> RunThread:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _value: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._executor.shutdown(wait=False)

    async def call(self, function: Callable[..., Any], *arguments: object) -> Any:
        """Calls a function in the thread. Nothing can stop it there, so one that is cancelled is awaited all the same."""
        context = contextvars.copy_context()
        job = functools.partial(context.run, function, *arguments)
        result = asyncio.get_running_loop().run_in_executor(self._executor, job)
        cancelled: asyncio.CancelledError | None = None
        while not result.done():
            try:
                await asyncio.wait([result])
            except asyncio.CancelledError as error:
                cancelled = error
        if cancelled is None:
            return result.result()
        # Marks its exception as seen.
        result.exception()
        raise cancelled

    async def iterate(self, pieces: Iterator[object]) -> AsyncIterator[object]:
        """What a generator yields in the thread."""
        while (piece := await self.call(next, pieces, _END)) is not _END:
            yield piece
