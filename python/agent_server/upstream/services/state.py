"""States of agents."""

from __future__ import annotations

from abc import abstractmethod
from copy import deepcopy
from typing import Any, Dict, Optional

from .._current import current
from .base import ServiceWithLifecycleManager

__all__ = ["InMemoryStateService", "StateService"]

Rounds = Dict[int, Dict[str, Any]]

_KEPT = 10
"""How many rounds of a session the server keeps."""

_MEMBER = "agentscope_runtime.rounds"


class StateService(ServiceWithLifecycleManager):
    """Keeps states by user, session and round."""

    async def start(self) -> None:
        """Starts."""

    async def stop(self) -> None:
        """Stops."""

    @abstractmethod
    async def save_state(
        self, user_id: str, state: Dict[str, Any], session_id: Optional[str] = None, round_id: Optional[int] = None
    ) -> int:
        """Saves a state, as the next round if none is given, and returns the round."""

    @abstractmethod
    async def export_state(
        self, user_id: str, session_id: Optional[str] = None, round_id: Optional[int] = None
    ) -> Optional[Dict[str, Any]]:
        """The state of a round, or the newest one."""


class InMemoryStateService(StateService):
    """The states of the current run's session are the server's, which keeps the last ten.

    Others are kept in this process.
    """

    def __init__(self) -> None:
        self._rounds: Optional[Dict[str, Dict[str, Rounds]]] = None

    async def start(self) -> None:
        """Starts with no states."""
        if self._rounds is None:
            self._rounds = {}

    async def stop(self) -> None:
        """Forgets the states that are kept in this process."""
        self._rounds = None

    async def health(self) -> bool:
        """Whether it was started."""
        return self._rounds is not None

    async def save_state(
        self, user_id: str, state: Dict[str, Any], session_id: Optional[str] = None, round_id: Optional[int] = None
    ) -> int:
        """Saves a state, as the next round if none is given, and returns the round."""
        rounds = self._of(user_id, session_id)
        found = current(user_id, session_id) if session_id else None
        others: Dict[str, Any] = {}
        if found is not None:
            others = await found.run.load_state() or {}
            rounds = rounds_of(others)
        chosen = round_id if round_id is not None else max(rounds, default=0) + 1
        rounds[chosen] = deepcopy(state)
        if found is not None:
            kept = {str(known): rounds[known] for known in sorted(rounds)[-_KEPT:]}
            await found.run.save_state({**others, _MEMBER: kept})
        return chosen

    async def export_state(
        self, user_id: str, session_id: Optional[str] = None, round_id: Optional[int] = None
    ) -> Optional[Dict[str, Any]]:
        """The state of a round, or the newest one."""
        rounds = self._of(user_id, session_id)
        found = current(user_id, session_id) if session_id else None
        if found is not None:
            rounds = rounds_of(await found.run.load_state())
        chosen = round_id if round_id is not None else max(rounds, default=0)
        return deepcopy(rounds.get(chosen))

    def _of(self, user_id: str, session_id: Optional[str]) -> Rounds:
        if self._rounds is None:
            raise RuntimeError("Service not started")
        return self._rounds.setdefault(user_id, {}).setdefault(session_id or "default", {})


def rounds_of(state: Any) -> Rounds:
    """The rounds in a state of the server."""
    rounds = state.get(_MEMBER) if isinstance(state, dict) else None
    return {int(known): value for known, value in (rounds or {}).items()}
