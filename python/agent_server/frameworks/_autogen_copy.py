"""Copies of AutoGen's agents, which keep their conversation in themselves."""

from __future__ import annotations

import asyncio
import copy
from typing import Any


def fresh_copy(agent: Any) -> Any:
    """A copy of an agent or a team without its conversation, so that one object can answer many runs at once.

    Models and tools are shared. AutoGen has no way of its own to make such a copy, so this sets what the constructors
    of version 0.7 set.
    """
    fresh = copy.copy(agent)
    context = getattr(agent, "_model_context", None)
    if context is not None:
        fresh._model_context = copy.copy(context)
        fresh._model_context._messages = list(context._initial_messages or ())
    for name in ("_team", "_participants"):
        inner = getattr(agent, name, None)
        if isinstance(inner, list):
            setattr(fresh, name, [fresh_copy(participant) for participant in inner])
        elif inner is not None:
            setattr(fresh, name, fresh_copy(inner))
    if getattr(agent, "_termination_condition", None) is not None:
        fresh._termination_condition = copy.deepcopy(agent._termination_condition)
    if getattr(agent, "_embedded_runtime", False):
        fresh._runtime = type(agent._runtime)(ignore_unhandled_exceptions=False)
        fresh._output_message_queue = asyncio.Queue()
        fresh._initialized = fresh._is_running = False
    return fresh


def stop(agent: Any) -> None:
    """Cancels what the agents of a team are doing; the team, which is a copy, cannot be used any more."""
    for name in ("_team", "_participants"):
        inner = getattr(agent, name, None)
        for participant in inner if isinstance(inner, list) else [inner]:
            if participant is not None:
                stop(participant)
    if getattr(agent, "_embedded_runtime", False):
        for task in list(agent._runtime._background_tasks):
            task.cancel()
