"""FastAPI's dependencies in query functions."""

from __future__ import annotations

import inspect
import typing
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any, AsyncIterator, Callable, Dict, Iterator, Tuple

from ._calls import result_of


@asynccontextmanager
async def dependencies(function: Callable[..., Any], app: Any) -> AsyncIterator[Dict[str, Any]]:
    """The values of the parameters that are declared with ``Depends``, until the query has ended."""
    async with AsyncExitStack() as stack:
        solver = _Solver(app, stack)
        yield {name: await solver.value_of(found, kind) for name, kind, found in _declared(function)}


class _Solver:
    """Calls each dependency once."""

    def __init__(self, app: Any, stack: AsyncExitStack) -> None:
        self._app, self._stack = app, stack
        self._known: Dict[Any, Any] = {}

    async def value_of(self, declared: Any, kind: Any) -> Any:
        """What a dependency returns or yields."""
        function = declared.dependency or kind
        function = getattr(self._app, "dependency_overrides", {}).get(function, function)
        if function not in self._known:
            given = {name: await self.value_of(found, of) for name, of, found in _declared(function)}
            for name, parameter in inspect.signature(function).parameters.items():
                if getattr(parameter.annotation, "__name__", parameter.annotation) == "Request":
                    given[name] = self._request()
            self._known[function] = await self._call(function, given)
        return self._known[function]

    async def _call(self, function: Any, given: Dict[str, Any]) -> Any:
        if inspect.isasyncgenfunction(function):
            return await self._stack.enter_async_context(asynccontextmanager(function)(**given))
        if inspect.isgeneratorfunction(function):
            return self._stack.enter_context(contextmanager(function)(**given))
        return await result_of(function, **given)

    def _request(self) -> Any:
        from starlette.requests import Request

        where = {"type": "http", "method": "POST", "path": "/process", "query_string": b"", "headers": []}
        return Request({**where, "app": self._app})


def _declared(function: Any) -> Iterator[Tuple[str, Any, Any]]:
    """The name, type and declaration of each parameter that is a dependency."""
    try:
        types = typing.get_type_hints(function, include_extras=True)
    except Exception:
        # A class, or a name that exists only for type checkers.
        types = {}
    for name, parameter in inspect.signature(function).parameters.items():
        kind = types.get(name, parameter.annotation)
        for candidate in (parameter.default, *getattr(kind, "__metadata__", ())):
            if type(candidate).__name__ in ("Depends", "Security"):
                yield name, getattr(kind, "__origin__", kind), candidate
                break
