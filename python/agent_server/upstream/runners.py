"""Runners for tests of scripts."""

from __future__ import annotations

from typing import Any, AsyncIterator

from .runner import Runner

__all__ = ["ErrorRunner", "SimpleRunner"]


class SimpleRunner(Runner):
    """Greets."""

    framework_type = "text"

    async def query_handler(  # type: ignore[override]
        self, *args: Any, **kwargs: Any
    ) -> AsyncIterator[str]:
        """Yields a greeting."""
        for text in ("Hi", "! My name is Friday", "."):
            yield text


class ErrorRunner(Runner):
    """Fails."""

    framework_type = "text"

    async def query_handler(  # type: ignore[override]
        self, *args: Any, **kwargs: Any
    ) -> AsyncIterator[str]:
        """Yields a text, and fails."""
        yield "Hi"
        raise RuntimeError("Error")
