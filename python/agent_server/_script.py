"""Finds the agents of what is served: a script, or a ``langgraph.json``."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Callable

from . import frameworks, upstream
from ._agents import Agent, lifetimes, registered
from ._load import load
from ._program import as_program
from .frameworks import langgraph

_PREFERRED = ("agent", "graph", "app", "team", "workflow", "root_agent")
"""The variables whose agent is the default one of a script with several."""


def load_agents(path: str) -> None:
    """Registers the agents of a file. Raises what its code raises, or ``ImportError`` if it has no agent."""
    if os.path.basename(path) == "langgraph.json":
        _load_graphs(path)
        return
    with as_program(path):
        module = load(path)
        upstream.find(module)
        if not registered:
            _register_objects(module)
    if not registered:
        raise ImportError(
            f"{path} has no agent: decorate a function with @agent, or assign an agent of a framework to a variable"
        )


def _register_objects(module: ModuleType) -> None:
    """Registers the variables of a module that are agents of a framework, under their names."""
    names = [name for name in vars(module) if not name.startswith("_")]
    for name in sorted(names, key=lambda name: _PREFERRED.index(name) if name in _PREFERRED else len(_PREFERRED)):
        _register(name, getattr(module, name))


def _load_graphs(path: str) -> None:
    config = langgraph.read_config(path)
    for name, value in config.environment.items():
        os.environ.setdefault(name, value)
    sys.path[:0] = [folder for folder in config.dependencies if os.path.isdir(folder)]
    modules: dict[Path, ModuleType] = {}
    for graph in config.graphs:
        module = modules.get(graph.file)
        if module is None:
            with as_program(str(graph.file)):
                module = modules[graph.file] = load(str(graph.file))
        if not hasattr(module, graph.variable):
            names = ", ".join(name for name in vars(module) if not name.startswith("_"))
            raise ImportError(f"{path}: {graph.file} has no {graph.variable!r}; it has {names}")
        candidate = getattr(module, graph.variable)
        shown = f"{graph.variable} in {graph.file}"
        if _register(graph.name, langgraph.compiled(candidate) or candidate):
            continue
        if not callable(candidate):
            raise ImportError(f"{path}: {shown} is no graph, and no function that makes one")
        _register_factory(graph.name, candidate, shown)


def _register_factory(name: str, make: Callable[..., Any], shown: str) -> None:
    from .frameworks._langgraph_factory import Factory

    factory = Factory(make, shown)
    if not factory.is_for_each_run:
        lifetimes.append(factory.lifetime)
    registered[name] = Agent(name, factory.handle, "give_up")


def _register(name: str, candidate: Any) -> bool:
    handler = frameworks.handler(candidate)
    if handler is None:
        return False
    registered[name] = Agent(name, handler, "give_up")
    return True
