"""Makes the apps and runners of scripts agents of the worker."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Union

from .. import _agents
from .._http import Application
from ._answer import agent_of
from ._options import log

if TYPE_CHECKING:
    from .app import AgentApp
    from .runner import Runner


def register(served: Union[AgentApp, Runner]) -> None:
    """Registers an app or a runner once, under the name of the app."""
    if any(lifetime == served.lifetime for lifetime in _agents.lifetimes):
        return
    runner = served.__dict__.get("_runner", served)
    if runner is served or runner.framework_type is not None:
        runner.framework()
    else:
        log.warning("the app has no query function, so only its endpoints and tasks can be used")
    name = re.sub(r"[^\w.-]+", "-", getattr(served, "app_name", "")).strip("-") or "agent"
    if name in _agents.registered:
        raise ValueError(f"there are two agents called {name!r}: give one of them another `app_name`")
    _agents.registered[name] = _agents.Agent(name, agent_of(runner), "give_up")
    _agents.lifetimes.append(served.lifetime)
    endpoint_path = getattr(served, "endpoint_path", "/process")
    if endpoint_path != "/process":
        _agents.endpoint_path = endpoint_path
    if callable(served):
        # A FastAPI, unless that is not installed.
        _agents.applications.append(Application(served, served.request_state, served.has_routes, served.has_middleware))
