"""Reads ``langgraph.json``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Mapping


@dataclass(frozen=True)
class Graph:
    """A graph that ``langgraph.json`` names."""

    name: str
    file: Path
    variable: str
    """What the file calls the graph, or a function that makes it."""


@dataclass(frozen=True)
class Config:
    """What ``langgraph.json`` says."""

    graphs: tuple[Graph, ...]
    dependencies: tuple[str, ...]
    """Packages, and folders that are packages, as pip takes them; folders are absolute."""
    environment: Mapping[str, str]
    """Variables for the process of the graphs."""


def read_config(path: str | Path) -> Config:
    """Reads a ``langgraph.json``; raises ``ValueError`` with what is wrong and what to do."""
    path = Path(path).resolve()
    try:
        config = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ValueError(f"{path}: there is no such file") from None
    except ValueError as error:
        raise ValueError(f"{path}: this is not JSON: {error}") from None
    if not isinstance(config, dict) or not isinstance(config.get("graphs"), dict) or not config["graphs"]:
        raise ValueError(f'{path}: name the graphs, for example "graphs": {{"agent": "./agent.py:graph"}}')
    graphs = tuple(_graph(path, name, value) for name, value in config["graphs"].items())
    return Config(graphs, _dependencies(path, config.get("dependencies")), _environment(path, config.get("env")))


def _graph(path: Path, name: str, value: Any) -> Graph:
    # The long form has a description beside the path.
    target = value.get("path") if isinstance(value, dict) else value
    file, separator, variable = target.rpartition(":") if isinstance(target, str) else ("", "", "")
    if not separator or not file or not variable.isidentifier():
        shown = json.dumps(target, ensure_ascii=False)
        raise ValueError(f'{path}: the graph {name!r} is {shown}: write it as "./file.py:variable"')
    found = path.parent / file
    if "/" not in file and not file.endswith(".py"):
        # The name of a module.
        found = path.parent / (file.replace(".", "/") + ".py")
    if found.suffix != ".py":
        raise ValueError(f"{path}: the graph {name!r} is in {file}: only graphs in Python files can be served")
    if not found.is_file():
        raise ValueError(f"{path}: the graph {name!r} is in {found}, but there is no such file")
    return Graph(name, found.resolve(), variable)


def _dependencies(path: Path, value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f'{path}: write "dependencies" as a list of packages and folders, for example ["."]')
    for item in value:
        if item.startswith(".") and not (path.parent / item).is_dir():
            raise ValueError(f"{path}: the dependency {item!r} is no folder beside this file")
    return tuple(str((path.parent / item).resolve()) if item.startswith(".") else item for item in value)


def _environment(path: Path, value: Any) -> dict[str, str]:
    if value is None:
        return {}
    if isinstance(value, dict):
        return {name: text if isinstance(text, str) else json.dumps(text) for name, text in value.items()}
    if not isinstance(value, str):
        raise ValueError(f'{path}: write "env" as the path of a file or as an object of variables')
    file = path.parent / value
    if not file.is_file():
        raise ValueError(f"{path}: the file {file} with the environment does not exist")
    return dict(filter(None, map(_variable, file.read_text("utf-8").splitlines())))


def _variable(line: str) -> tuple[str, str] | None:
    """A line such as ``export NAME="value"  # why``."""
    name, separator, value = line.strip().removeprefix("export ").partition("=")
    if not separator or name.startswith("#"):
        return None
    value = value.strip()
    if value[:1] in ("'", '"') and value.find(value[0], 1) > 0:
        return name.strip(), value[1 : value.find(value[0], 1)]
    return name.strip(), value.partition(" #")[0].strip()
