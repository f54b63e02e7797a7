"""Finds the app of a script that does not start it itself, or only as a program."""

from __future__ import annotations

import inspect
import sys
from types import ModuleType
from typing import Any, Callable

from .. import _agents

_VARIABLES = ("agent_app", "app")
_FACTORIES = ("create_app", "create_agent_app", "get_app", "get_agent_app")


def find(module: ModuleType) -> None:
    """Registers the app of a script, unless it has registered agents itself.

    It is the value of ``agent_app`` or ``app``, what a function such as ``create_app`` returns, or the only
    ``AgentApp``, ``Runner``, or class of runners in the module.
    """
    if _agents.registered or f"{__package__}.runner" not in sys.modules:
        return
    served = _app(module)
    if served is not None:
        from ._register import register

        register(served)


def _app(module: ModuleType) -> Any:
    from .app import AgentApp
    from .runner import Runner

    names = vars(module)
    kinds = (AgentApp, Runner)
    for name in _VARIABLES:
        if isinstance(names.get(name), kinds):
            return names[name]
    for name in _FACTORIES:
        if inspect.isroutine(names.get(name)):
            return _made_by(names[name], name)
    for kind in kinds:
        found = {id(value): value for value in names.values() if isinstance(value, kind)}
        if found:
            return _only([*found.values()], kind.__name__)
    classes = [value for value in names.values() if inspect.isclass(value) and issubclass(value, Runner)]
    own = [value for value in classes if value.__module__ == module.__name__]
    return _only(own, "class of runners")() if own else None


def _only(found: list[Any], what: str) -> Any:
    if len(found) > 1:
        raise ImportError(f"the script has more than one {what}: call the one to serve `agent_app`")
    return found[0]


def _made_by(factory: Callable[..., Any], name: str) -> Any:
    if inspect.iscoroutinefunction(factory):
        raise ImportError(f"{name} is `async`: make it a plain function, or assign the app to `agent_app`")
    return factory()
