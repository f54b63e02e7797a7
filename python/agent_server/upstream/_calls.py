"""Calls the functions of scripts, whatever kind they are."""

from __future__ import annotations

import asyncio
import functools
import inspect
from contextlib import AsyncExitStack
from typing import Any, AsyncIterator, Callable, Mapping

from .._thread import RunThread


def accepted(function: Callable[..., Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the arguments that a function takes."""
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return dict(given)
    names = {parameter.name for parameter in parameters if parameter.kind is not parameter.POSITIONAL_ONLY}
    return {name: value for name, value in given.items() if name in names}


async def result_of(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Calls a function with those of the arguments that it takes, and awaits what it returns if that can be awaited."""
    result = function(*args, **accepted(function, kwargs))
    return await result if inspect.isawaitable(result) else result


class Items:
    """What a function yields or returns. Code that is not asynchronous runs in a thread of its own. Has to be closed."""

    def __init__(self, function: Callable[..., Any], arguments: Mapping[str, Any]) -> None:
        self._call = functools.partial(function, **accepted(function, arguments))
        self._source: AsyncIterator[Any] | None = None
        self._stack = AsyncExitStack()
        self._thread = self._stack.enter_context(RunThread())

    def __aiter__(self) -> Items:
        return self

    async def __anext__(self) -> Any:
        if self._source is None:
            self._source = await self._open()
        return await self._source.__anext__()

    async def _open(self) -> AsyncIterator[Any]:
        result = self._call() if _returns_at_once(self._call) else await self._thread.call(self._call)
        if inspect.isawaitable(result):
            result = await result
        if hasattr(result, "__aiter__"):
            source: AsyncIterator[Any] = result.__aiter__()
            return source
        if inspect.isgenerator(result):
            self._stack.push_async_callback(self._thread.call, result.close)
            return self._thread.iterate(result)
        return _whole(result)

    async def close(self, cancelled: bool = False) -> None:
        """Ends a function that has not come to its end, because the consumer has failed or was cancelled.

        An asynchronous generator that was cancelled gets ``CancelledError`` where it has yielded, so that it can save
        its state.
        """
        async with self._stack:
            if not inspect.isasyncgen(self._source) or self._source.ag_frame is None:
                return
            if not cancelled:
                await self._source.aclose()
                return
            try:
                await self._source.athrow(asyncio.CancelledError())
            except (asyncio.CancelledError, StopAsyncIteration):
                # What it was told.
                pass


async def _whole(result: Any) -> AsyncIterator[Any]:
    if result is not None:
        yield result


def _returns_at_once(function: Any) -> bool:
    while isinstance(function, functools.partial):
        function = function.func
    if not inspect.isroutine(function):
        function = type(function).__call__
    kinds = (inspect.isasyncgenfunction, inspect.iscoroutinefunction, inspect.isgeneratorfunction)
    return any(kind(function) for kind in kinds)
