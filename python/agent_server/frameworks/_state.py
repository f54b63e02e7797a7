"""The state of frameworks' agents in a session, beside what the script itself saves."""

from __future__ import annotations

from typing import Any

from .._run import Run
from ._answer import plain

_KEY = "frameworks"


async def load_state(run: Run) -> dict[str, Any] | None:
    """The state that this agent has in the session; ``None`` if it has none."""
    saved = await run.load_state()
    state: dict[str, Any] | None = (saved.get(_KEY) or {}).get(run.agent_name) if isinstance(saved, dict) else None
    return state


async def save_state(run: Run, state: dict[str, Any]) -> None:
    """Saves the state of this agent, and leaves those of others as they are."""
    saved = await run.load_state()
    whole = saved if isinstance(saved, dict) else {}
    states = {**(whole.get(_KEY) or {}), run.agent_name: plain(state)}
    await run.save_state({**whole, _KEY: states})
