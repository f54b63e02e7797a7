"""Loads a script as Python itself would."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import os
import sys
import traceback
from types import CodeType, ModuleType
from typing import Any

from ._missing import remedy


class _Source(importlib.machinery.SourceFileLoader):
    """Compiles a module each time: Python's cache cannot tell two versions of one size and second apart."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


def _without_cache(root: str) -> None:
    """Reads the modules in a folder and its subfolders without Python's cache of compiled ones."""
    machinery = importlib.machinery
    finder = machinery.FileFinder.path_hook(
        (machinery.ExtensionFileLoader, machinery.EXTENSION_SUFFIXES),
        (_Source, machinery.SOURCE_SUFFIXES),
        (machinery.SourcelessFileLoader, machinery.BYTECODE_SUFFIXES),
    )

    def hook(path: str) -> Any:
        is_own = os.path.join(path, "").startswith(os.path.join(root, ""))
        if not is_own or path.startswith(sys.prefix):
            raise ImportError
        return finder(path)

    sys.path_hooks.insert(0, hook)


def load(path: str) -> ModuleType:
    """Imports a file: a flat script, or a module of a package, whose relative imports then work."""
    folder, file = os.path.split(os.path.abspath(path))
    name = os.path.splitext(file)[0]
    while os.path.exists(os.path.join(folder, "__init__.py")):
        folder, package = os.path.split(folder)
        name = f"{package}.{name}"
    _without_cache(folder)
    sys.path.insert(0, folder)
    sys.argv = [path]
    if all(part.isidentifier() for part in name.split(".")) and name not in sys.modules:
        return importlib.import_module(name)
    spec = importlib.util.spec_from_file_location("agent_script", path, loader=_Source("agent_script", path))
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules["agent_script"] = module
    spec.loader.exec_module(module)
    return module


def describe(error: BaseException) -> tuple[str, str]:
    """An error in one line, and the traceback as the author of the script wants to read it."""
    own = os.path.dirname(os.path.abspath(__file__))
    shown = traceback.TracebackException.from_exception(error)
    frames = [
        frame
        for frame in shown.stack
        if not frame.filename.startswith(own) and "importlib" not in frame.filename and "<frozen" not in frame.filename
    ]
    shown.stack = traceback.StackSummary.from_list(frames)
    text = "".join(shown.format())
    last = frames[-1] if frames else None
    where = f" ({os.path.basename(last.filename)}, line {last.lineno})" if last else ""
    if isinstance(error, SyntaxError) and error.filename:
        where = f" ({os.path.basename(error.filename)}, line {error.lineno})"
    what = error.msg if isinstance(error, SyntaxError) else error
    help = f"; {remedy(error.name)}" if isinstance(error, ModuleNotFoundError) and error.name else ""
    return f"{type(error).__name__}: {what}{where}{help}", text
