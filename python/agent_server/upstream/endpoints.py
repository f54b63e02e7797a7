"""HTTP endpoints of scripts, as routes of FastAPI."""

from __future__ import annotations

import inspect
import json
import typing
from typing import Any, AsyncIterator, Callable, List, TypeVar

from .._thread import RunThread
from ._plain import plain

Function = TypeVar("Function", bound=Callable[..., Any])


def add(app: Any, path: str, methods: List[str], function: Function) -> Function:
    """Adds a route. A generator's items are sent as events."""
    is_generator = inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function)
    handler = _streaming(function) if is_generator else function
    app.add_api_route(path, handler, methods=methods, tags=["custom"])
    return function


def _streaming(function: Callable[..., Any]) -> Callable[..., Any]:
    from fastapi.responses import StreamingResponse

    async def handler(*args: Any, **kwargs: Any) -> Any:
        items = function(*args, **kwargs)
        return StreamingResponse(_events(items), media_type="text/event-stream")

    # What FastAPI reads. With `functools.wraps` it would find the generator, and stream it in a form of its own.
    handler.__name__, handler.__doc__ = function.__name__, function.__doc__
    handler.__signature__ = _signature(function)  # type: ignore[attr-defined]
    return handler


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    """The parameters with their types, also where annotations are texts."""
    types = typing.get_type_hints(function, include_extras=True)
    signature = inspect.signature(function)
    parameters = [
        parameter.replace(annotation=types.get(name, parameter.annotation))
        for name, parameter in signature.parameters.items()
    ]
    return signature.replace(parameters=parameters, return_annotation=inspect.Signature.empty)


async def _events(items: Any) -> AsyncIterator[str]:
    with RunThread() as thread:
        try:
            async for item in items if hasattr(items, "__aiter__") else thread.iterate(items):
                yield _event(plain(item))
        except Exception as error:
            text = "Error in streaming generator"
            yield _event({"error": str(error), "error_type": type(error).__name__, "message": text})


def _event(value: Any) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"
