"""Loads scripts as a worker does, and asks them without a server."""

from __future__ import annotations

import asyncio
import sys
import types
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, AsyncIterator, Callable, Iterator
from unittest.mock import patch

import agent_server.frameworks
from agent_server import Run, _agents, upstream
from agent_server._load import load
from agent_server._program import as_program
from agent_server.testing import Answer, ask_async

SCRIPTS = Path(__file__).parent / "scripts"

upstream.install()


class Texts:
    """Stands for the frameworks: messages are read as texts, and texts or pairs of texts are written."""

    @staticmethod
    def read(framework: str, messages: list[dict[str, Any]]) -> list[str]:
        return [content["text"] for message in messages for content in message["content"]]

    @staticmethod
    async def write(run: Run, framework: str, items: AsyncIterator[Any]) -> None:
        async with run.message() as message:
            async for item in items:
                await message.text(item if isinstance(item, str) else item[0])


class Script:
    """A script that was loaded, and is alive."""

    def __init__(self, module: types.ModuleType) -> None:
        self.module = module
        self.names = [*_agents.registered]

    @property
    def handler(self) -> Callable[..., Any]:
        return _agents.registered[self.names[0]].handler

    async def ask(self, text: str = "", **options: Any) -> Answer:
        return await ask_async(self.handler, text, **options)


@contextmanager
def standing_in(frameworks: Any) -> Iterator[None]:
    """Replaces only this module. ``patch.dict`` would also remove what the script imports, and numpy is imported once."""
    real = agent_server.frameworks
    sys.modules["agent_server.frameworks"] = frameworks or real
    try:
        yield
    finally:
        sys.modules["agent_server.frameworks"] = real


@asynccontextmanager
async def served(name: str, frameworks: Any = Texts) -> AsyncIterator[Script]:
    """The script, from its start to its end, with something that stands for the frameworks, or the real ones."""
    _agents.registered.clear()
    _agents.lifetimes.clear()
    _agents.applications.clear()
    sys.modules.pop(name, None)
    with standing_in(frameworks), patch.object(_agents, "in_worker", True):
        with as_program(f"{name}.py"):
            module = load(str(SCRIPTS / f"{name}.py"))
            upstream.find(module)
        async with AsyncExitStack() as stack:
            for lifetime in _agents.lifetimes:
                await stack.enter_async_context(lifetime())
            yield Script(module)


def ask_script(
    name: str, *texts: str, frameworks: Any = Texts, **options: Any
) -> tuple[types.ModuleType, list[Answer]]:
    """Loads a script, asks it these texts one after the other, and ends it."""

    async def conversation() -> tuple[types.ModuleType, list[Answer]]:
        async with served(name, frameworks) as script:
            return script.module, [await script.ask(text, **options) for text in texts]

    return asyncio.run(conversation())
