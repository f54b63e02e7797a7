"""Makes ``import agentscope_runtime`` find this package."""

from __future__ import annotations

import importlib
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, Sequence

from . import _uvicorn
from ._names import ELSEWHERE, LACKING, MODULES, ROOT, instead_of


def install() -> None:
    """Makes the names of agentscope-runtime importable.

    What this package lacks is taken from the original, if that is installed. Apps that a script gives to uvicorn are served, too.
    """
    _uvicorn.intercept()
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != ROOT and not fullname.startswith(f"{ROOT}."):
            return None
        original = PathFinder.find_spec(fullname, path)
        if fullname[len(ROOT) :] in MODULES:
            spec = ModuleSpec(fullname, _Loader(), is_package=True)
            # Modules that only the original has are then found below.
            spec.submodule_search_locations = list((original and original.submodule_search_locations) or [])
            return spec
        if original is None:
            raise ModuleNotFoundError(instead_of(fullname), name=fullname)
        return original


class _Loader(Loader):
    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        for name in MODULES[module.__name__[len(ROOT) :]]:
            ours = importlib.import_module(f"{__package__}.{name}")
            names = getattr(ours, "__all__", None) or [name for name in vars(ours) if not name.startswith("_")]
            module.__dict__.update({name: getattr(ours, name) for name in names})
        module.__dict__["__getattr__"] = _look_elsewhere


def _look_elsewhere(name: str) -> Any:
    if name in LACKING:
        raise ImportError(f"agent-server does not have agentscope-runtime's {name}: {LACKING[name]}", name=ROOT)
    if name not in ELSEWHERE:
        raise AttributeError(f"agent-server does not have agentscope-runtime's {name}")
    try:
        return getattr(importlib.import_module(ROOT + ELSEWHERE[name]), name)
    except ModuleNotFoundError as error:
        raise ImportError(f"{name}: {error}", name=ROOT + ELSEWHERE[name]) from None
