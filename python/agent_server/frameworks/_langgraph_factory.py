"""Functions that make graphs: ``langgraph.json`` may name one instead of a graph."""

from __future__ import annotations

import inspect
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, AsyncIterator, Callable

from .._run import Run
from . import langgraph
from ._langgraph_thread import answer, config_of


class Factory:
    """Makes a graph: once if the function takes nothing, or for each run if it takes the run's configuration.

    The function may be asynchronous, and may return a context manager, which is left when the graph is not needed any
    more.
    """

    def __init__(self, make: Callable[..., Any], shown: str) -> None:
        self._make, self._shown = make, shown
        self._graph: Any = None
        parameters = list(inspect.signature(make).parameters.values())
        required = [parameter for parameter in parameters if parameter.default is parameter.empty]
        self.is_for_each_run = bool(parameters) and _is_configuration(parameters[0])
        if len(required) > self.is_for_each_run:
            names = ", ".join(parameter.name for parameter in required)
            raise TypeError(f"{shown} takes {names}: let it take nothing, or the configuration of the run as `config`")

    @asynccontextmanager
    async def lifetime(self) -> AsyncIterator[None]:
        """Makes the graph of all runs."""
        async with AsyncExitStack() as stack:
            self._graph = await self._made(stack, self._make())
            yield

    async def handle(self, run: Run) -> None:
        """Answers a run."""
        if not self.is_for_each_run:
            return await answer(run, self._graph)
        async with AsyncExitStack() as stack:
            await answer(run, await self._made(stack, self._make(config_of(run))))

    async def _made(self, stack: AsyncExitStack, made: Any) -> Any:
        if inspect.isawaitable(made):
            made = await made
        if hasattr(made, "__aenter__"):
            made = await stack.enter_async_context(made)
        elif hasattr(made, "__enter__"):
            made = stack.enter_context(made)
        graph = langgraph.compiled(made)
        if graph is None:
            raise TypeError(f"{self._shown} returns {type(made).__name__}: let it return a compiled graph")
        return graph


def _is_configuration(parameter: inspect.Parameter) -> bool:
    """Whether the name or the annotation of a parameter says that it is the configuration of a run."""
    return "config" in f"{parameter.name} {parameter.annotation}".lower()
