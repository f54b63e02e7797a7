"""The decorator of upstream's traces. The server traces the runs itself, so nothing is reported from here."""

from __future__ import annotations

import functools
import inspect
from typing import Any, Callable, Dict, TypeVar

__all__ = ["EventContext", "TraceType", "TracingUtil", "trace"]

Function = TypeVar("Function", bound=Callable[..., Any])


class TraceType(str):
    """What a traced function does."""

    LLM = "LLM"
    TOOL = "TOOL"
    AGENT_STEP = "AGENT_STEP"
    MEMORY = "MEMORY"
    SEARCH = "SEARCH"
    AIGC = "AIGC"
    RAG = "RAG"
    INTENTION = "INTENTION"
    PLUGIN = "PLUGIN"
    FUNCTION_CALL = "FUNCTION_CALL"
    AGENT = "AGENT"
    PLANNING = "PLANNING"
    CHAIN = "CHAIN"
    RETRIEVER = "RETRIEVER"
    RERANKER = "RERANKER"
    EMBEDDING = "EMBEDDING"
    TASK = "TASK"
    GUARDRAIL = "GUARDRAIL"
    REWRITER = "REWRITER"
    OTHER = "OTHER"

    @classmethod
    def add_type(cls, name: str, value: str) -> None:
        """Adds a name."""
        if hasattr(cls, name):
            raise ValueError(f"TraceType {name} already exists")
        setattr(cls, name, value)


class EventContext:
    """What a traced function gets as ``trace_event``."""

    def on_log(self, message: str = "", **_options: Any) -> None:
        """Takes a line."""

    def on_end(self, payload: Any = None, **_options: Any) -> None:
        """Takes a result."""

    def set_attribute(self, key: str, value: Any) -> None:
        """Takes an attribute."""

    def get_trace_context(self) -> None:
        """There is no trace."""


def trace(trace_type: Any = None, **_options: Any) -> Callable[[Function], Function]:
    """Returns the function as it is, but with an argument ``trace_event`` if it takes any."""
    return lambda function: _with_event(function) if _takes_any(function) else function


def _takes_any(function: Callable[..., Any]) -> bool:
    parameters = inspect.signature(function).parameters.values()
    return any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)


def _with_event(function: Any) -> Any:
    """A function of the same kind, which is what others look at."""

    def call(*args: Any, **kwargs: Any) -> Any:
        kwargs.pop("trace_context", None)
        return function(*args, **{"trace_event": EventContext(), **kwargs})

    async def call_coroutine(*args: Any, **kwargs: Any) -> Any:
        return await call(*args, **kwargs)

    async def call_async_generator(*args: Any, **kwargs: Any) -> Any:
        items = call(*args, **kwargs)
        try:
            async for item in items:
                yield item
        finally:
            await items.aclose()

    def call_generator(*args: Any, **kwargs: Any) -> Any:
        return (yield from call(*args, **kwargs))

    chosen: Callable[..., Any] = call
    if inspect.iscoroutinefunction(function):
        chosen = call_coroutine
    elif inspect.isasyncgenfunction(function):
        chosen = call_async_generator
    elif inspect.isgeneratorfunction(function):
        chosen = call_generator
    return functools.wraps(function)(chosen)


class TracingUtil:
    """What scripts tell the traces. It is not reported."""

    @staticmethod
    def set_request_id(value: str = "") -> None:
        """Takes a request's id; the run has one already."""

    @staticmethod
    def get_request_id(default_value: str = "") -> str:
        """The default."""
        return default_value

    @staticmethod
    def set_trace_header(trace_headers: Dict[str, Any]) -> None:
        """Takes headers."""

    @staticmethod
    def get_trace_header() -> Dict[str, Any]:
        """No headers."""
        return {}

    @staticmethod
    def set_common_attributes(attributes: Dict[str, Any]) -> None:
        """Takes attributes."""

    @staticmethod
    def get_common_attributes() -> Dict[str, Any]:
        """No attributes."""
        return {}

    @staticmethod
    def clear_common_attributes() -> None:
        """There are none."""
