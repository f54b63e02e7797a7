"""Agent frameworks: their streams become messages of a run, and our messages become their input.

Nothing here imports a framework before it is used, so a script needs only the one that it uses itself.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any, AsyncIterator, Awaitable, Callable, Mapping, Sequence

from .._run import Run

__all__ = ["handler", "names", "read", "write"]

# The module beside this file, and the package that the framework is imported as.
_PACKAGES = {
    "agentscope": "agentscope",
    "langgraph": "langgraph",
    "agno": "agno",
    "autogen": "autogen_agentchat",
    "ms_agent_framework": "agent_framework",
    "openai_agents": "agents",
    "pydantic_ai": "pydantic_ai",
}


def names() -> list[str]:
    """The names of the frameworks, as agentscope-runtime has them where it knows the framework."""
    return [*_PACKAGES, "text"]


async def write(run: Run, framework: str, items: AsyncIterator[Any]) -> None:
    """Writes the stream of a framework's agent to the run. The items of ``text`` are strings, or ``None``."""
    if framework == "text":
        await _write_text(run, items)
    else:
        await _module(framework).write(run, items)


def read(framework: str, messages: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Converts messages of a request or of the history to the framework's input. ``text`` takes them as they are."""
    if framework == "text":
        return list(messages)
    converted: list[Any] = _module(framework).read(messages)
    return converted


def handler(candidate: object) -> Callable[[Run], Awaitable[None]] | None:
    """A function that answers runs with this object, if it is an agent of a framework that is imported."""
    for name, package in _PACKAGES.items():
        if package in sys.modules:
            found: Callable[[Run], Awaitable[None]] | None = _module(name).handler(candidate)
            if found is not None:
                return found
    return None


def _module(framework: str) -> ModuleType:
    if framework not in _PACKAGES:
        raise ValueError(f"there is no framework {framework!r}: choose one of {', '.join(names())}")
    return importlib.import_module(f".{framework}", __name__)


async def _write_text(run: Run, items: AsyncIterator[Any]) -> None:
    message = run.message()
    async for item in items:
        if item is not None and not isinstance(item, str):
            raise TypeError(f"a stream of the framework 'text' has strings, not {type(item).__name__}")
        await message.text(item or "")
    await message._close()
