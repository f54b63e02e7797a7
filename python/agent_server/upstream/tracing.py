"""The decorator of upstream's traces. The server traces the runs itself, so it does nothing here."""

from __future__ import annotations

from typing import Any, Callable, Dict, TypeVar

__all__ = ["TraceType", "TracingUtil", "trace"]

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


def trace(trace_type: Any = None, **_options: Any) -> Callable[[Function], Function]:
    """Returns the function as it is."""
    return lambda function: function


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
