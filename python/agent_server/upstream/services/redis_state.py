"""States of agents in Redis."""

from __future__ import annotations

import json
from typing import Any, Dict, Optional

from .factory import ServiceFactory
from .redis import InRedis
from .state import InMemoryStateService, StateService

__all__ = ["RedisStateService", "StateServiceFactory"]


class RedisStateService(InRedis, StateService):
    """Keeps the rounds of a session as the fields of a hash."""

    async def save_state(
        self, user_id: str, state: Dict[str, Any], session_id: Optional[str] = None, round_id: Optional[int] = None
    ) -> int:
        """Saves a state, as the next round if none is given, and returns the round."""
        key, text = _key(user_id, session_id), json.dumps(state)
        if round_id is not None:
            await self.client.hset(key, round_id, text)
        else:
            round_id = (await self._newest(key) or 0) + 1
            # Whoever takes the number first has it.
            while not await self.client.hsetnx(key, round_id, text):
                round_id += 1
        await self.touch(key)
        return round_id

    async def export_state(
        self, user_id: str, session_id: Optional[str] = None, round_id: Optional[int] = None
    ) -> Optional[Dict[str, Any]]:
        """The state of a round, or the newest one."""
        key = _key(user_id, session_id)
        chosen = round_id if round_id is not None else await self._newest(key)
        text = None if chosen is None else await self.client.hget(key, chosen)
        if text is None:
            return None
        await self.touch(key)
        state: Dict[str, Any] = json.loads(text)
        return state

    async def _newest(self, key: str) -> Optional[int]:
        fields = [int(field) for field in await self.client.hkeys(key) if str(field).isdigit()]
        return max(fields, default=None)


def _key(user_id: str, session_id: Optional[str]) -> str:
    return f"user_state:{user_id}:{session_id or 'default'}"


class StateServiceFactory(ServiceFactory[StateService]):
    """Creates state services."""

    _env_prefix = "STATE_"
    _registry = {"in_memory": InMemoryStateService, "redis": RedisStateService}
