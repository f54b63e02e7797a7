"""What ``AgentApp`` extends where FastAPI is not installed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

__all__ = ["FastAPI"]

_ROUTES = ("get", "post", "put", "delete", "patch", "options", "head", "route", "websocket", "middleware")


class FastAPI:
    """An application without routes."""

    def __init__(self, **_options: Any) -> None:
        self.state = SimpleNamespace()

    def add_api_route(self, path: str, *_function: Any, **_options: Any) -> None:
        """Says what is missing."""
        raise RuntimeError(f"the script's endpoint {path} needs FastAPI: pip install fastapi")

    def __getattr__(self, name: str) -> Any:
        if name in _ROUTES or name.startswith(("add_", "include_", "exception_")):
            raise RuntimeError(f"the script uses app.{name}, which needs FastAPI: pip install fastapi")
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
