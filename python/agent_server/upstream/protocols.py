"""Upstream's classes of protocols. The server speaks these protocols itself, so the objects do nothing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Callable

from pydantic import ConfigDict

from .schemas._model import BaseModel

__all__ = [
    "A2AFastAPIDefaultAdapter",
    "AGUIAdaptorConfig",
    "AGUIDefaultAdapter",
    "AgentCardWithRuntimeConfig",
    "ProtocolAdapter",
    "ResponseAPIDefaultAdapter",
]


class ProtocolAdapter(ABC):
    """Adds the endpoints of a protocol to an app. Those of a script are called when the app starts."""

    def __init__(self, **options: Any) -> None:
        self.options = options

    @abstractmethod
    def add_endpoint(self, app: Any, func: Callable[..., Any], **options: Any) -> Any:
        """Adds the endpoints; ``func`` takes a request and yields events."""


class BuiltInAdapter(ProtocolAdapter):
    """A protocol that the server speaks."""

    def __init__(self, *_values: Any, **options: Any) -> None:
        super().__init__(**options)

    def add_endpoint(self, app: Any, func: Callable[..., Any], **options: Any) -> Any:
        """Adds nothing."""


class A2AFastAPIDefaultAdapter(BuiltInAdapter):
    """The A2A protocol."""


class ResponseAPIDefaultAdapter(BuiltInAdapter):
    """The Responses API."""


class AGUIDefaultAdapter(BuiltInAdapter):
    """The AG-UI protocol."""


class _Settings(BaseModel):
    model_config = ConfigDict(extra="allow", arbitrary_types_allowed=True)


class AGUIAdaptorConfig(_Settings):
    """Settings of AG-UI."""


class AgentCardWithRuntimeConfig(_Settings):
    """Settings of the A2A protocol."""
