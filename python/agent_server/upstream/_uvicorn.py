"""uvicorn in a worker: it serves no app of the script, because the server does so. Other apps are served as ever."""

from __future__ import annotations

import asyncio
import functools
import importlib
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, Sequence

from .. import _agents
from .._script_loop import begin_to_serve

_NAME = "uvicorn.server"


def intercept() -> None:
    """Makes uvicorn register the app that a script gives to it, now or once it is imported."""
    if _NAME in sys.modules:
        _patch(sys.modules[_NAME])
    elif not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path) if fullname == _NAME else None
        if spec is not None and spec.loader is not None:
            spec.loader.exec_module = functools.partial(_execute, spec.loader)  # type: ignore[method-assign]
        return spec


def _execute(loader: Loader, module: ModuleType) -> None:
    type(loader).exec_module(loader, module)
    _patch(module)


def _patch(module: Any) -> None:
    run, serve, configure = module.Server.run, module.Server.serve, module.Config.__init__

    def configure_once(self: Any, *args: Any, **options: Any) -> None:
        # Otherwise uvicorn would start processes of its own.
        configure(self, *args, **{**options, **({"reload": False, "workers": 1} if _agents.in_worker else {})})

    def run_unless_served(self: Any, *args: Any, **options: Any) -> Any:
        if not _is_served(self.config):
            return run(self, *args, **options)
        # What `uvicorn.run` asks for when it decides whether the start has failed.
        self.started = True

    async def serve_unless_served(self: Any, *args: Any, **options: Any) -> Any:
        if not _is_served(self.config):
            return await serve(self, *args, **options)
        begin_to_serve()
        # What follows in the script is for the time after the service.
        await asyncio.Event().wait()

    if not hasattr(run, "__wrapped__"):
        module.Server.run = functools.wraps(run)(run_unless_served)
        module.Server.serve = functools.wraps(serve)(serve_unless_served)
        module.Config.__init__ = functools.wraps(configure)(configure_once)


def _is_served(config: Any) -> bool:
    """Registers an app of the script, or one that another app has mounted."""
    if not _agents.in_worker or f"{__package__}.app" not in sys.modules:
        return False
    from ._register import register
    from .app import AgentApp

    found = _named(config.app) if isinstance(config.app, str) else config.app
    found = found() if config.factory else found
    candidates = [found, *(getattr(route, "app", None) for route in getattr(found, "routes", ()))]
    served = next((each for each in candidates if isinstance(each, AgentApp)), None)
    if served is not None:
        register(served)
        if served is not found:
            _agents.mount(found)
    return served is not None


def _named(name: str) -> Any:
    module, _colon, attributes = name.partition(":")
    return functools.reduce(getattr, attributes.split("."), importlib.import_module(module))
