"""Finds the app of a script that does not start it itself, or only as a program."""

from __future__ import annotations

import ast
import asyncio
import inspect
import sys
from types import ModuleType
from typing import Any, Callable, TypeGuard

from .. import _agents

_VARIABLES = ("agent_app", "app")
_FACTORIES = ("create_app", "create_agent_app", "get_app", "get_agent_app")


def find(module: ModuleType) -> None:
    """Registers the app of a script, unless it has registered agents itself.

    It is the value of ``agent_app`` or ``app``, what a function such as ``create_app`` returns, or the only
    ``AgentApp``, ``Runner``, or class of runners in the module. A script that has none of them makes its app under
    ``if __name__ == "__main__"``, so that part is executed.
    """
    if _agents.registered or f"{__package__}.runner" not in sys.modules:
        return
    served = _app(module)
    if served is None and _execute_main(module) and not _agents.registered:
        served = _app(module)
    if served is not None:
        from ._register import register

        register(served)


def _execute_main(module: ModuleType) -> bool:
    """Executes what a module does only as a program, and returns whether there is such a part."""
    path = module.__file__
    if path is None:
        return False
    with open(path, "rb") as file:
        tree = ast.parse(file.read(), path)
    futures = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    statements = [each for node in tree.body if _is_main_guard(node) for each in node.body]
    exec(compile(ast.Module([*futures, *statements], []), path, "exec", dont_inherit=True), vars(module))
    return bool(statements)


def _is_main_guard(node: ast.stmt) -> TypeGuard[ast.If]:
    if not isinstance(node, ast.If) or not isinstance(node.test, ast.Compare):
        return False
    sides = [node.test.left, *node.test.comparators]
    names = [side.id for side in sides if isinstance(side, ast.Name)]
    values = [side.value for side in sides if isinstance(side, ast.Constant)]
    return names == ["__name__"] and values == ["__main__"]


def _app(module: ModuleType) -> Any:
    from .app import AgentApp
    from .runner import Runner

    names = vars(module)
    kinds = (AgentApp, Runner)
    for name in _VARIABLES:
        if isinstance(names.get(name), kinds):
            return names[name]
    for name in _FACTORIES:
        if inspect.isroutine(names.get(name)) and not _required(names[name]):
            return _made_by(names[name])
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


def _required(function: Callable[..., Any]) -> list[str]:
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    return [each.name for each in parameters if each.default is each.empty and each.kind not in variable]


def _made_by(factory: Callable[[], Any]) -> Any:
    """What a factory makes. One that is asynchronous is awaited in a loop of its own."""
    made = factory()
    return asyncio.run(made) if inspect.iscoroutine(made) else made
