"""The run whose code is executed, for the services of scripts."""

from __future__ import annotations

import contextvars
from dataclasses import dataclass, field
from typing import Any

from .._run import Run


@dataclass
class Current:
    """A run, and what the services remember during it."""

    run: Run
    history: list[dict[str, Any]] | None = None
    """The conversation before the run, once it was asked for."""
    added: dict[int, list[Any]] = field(default_factory=dict)
    """What each history service has appended to the conversation."""

    async def messages_before(self) -> list[dict[str, Any]]:
        """The conversation before the run."""
        if self.history is None:
            self.history = await self.run.history()
        return self.history


_current: contextvars.ContextVar[Current | None] = contextvars.ContextVar("agent_server_upstream", default=None)


def enter(run: Run) -> None:
    """Makes a run the current one of the task."""
    _current.set(Current(run))


def current(user_id: str, session_id: str | None = None) -> Current | None:
    """The current run, if it belongs to this user, and to this session if one is given."""
    found = _current.get()
    if found is None or found.run.user_id != user_id:
        return None
    return found if session_id is None or found.run.session_id == session_id else None
