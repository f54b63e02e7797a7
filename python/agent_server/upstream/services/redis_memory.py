"""Memories of users in Redis."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Optional

from .factory import ServiceFactory
from .memory import InMemoryMemoryService, MemoryService, limit_of, matching, page_of, text_of
from .redis import InRedis
from .session_history import stored

__all__ = ["MemoryServiceFactory", "RedisMemoryService"]


class RedisMemoryService(InRedis, MemoryService):
    """Keeps the memories of a user as a hash, with a list of messages for each session."""

    def __init__(self, *args: Any, max_messages_per_session: Optional[int] = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self._most = max_messages_per_session

    async def add_memory(self, user_id: str, messages: List[Any], session_id: Optional[str] = None) -> None:
        """Keeps messages."""
        key, field = _key(user_id), session_id or "default"
        known = json.loads(await self.client.hget(key, field) or "[]")
        known += [message.model_dump(mode="json") for message in messages]
        await self.client.hset(key, field, json.dumps(known[-self._most :] if self._most else known))
        await self.touch(key)

    async def search_memory(
        self, user_id: str, messages: List[Any], filters: Optional[Dict[str, Any]] = None
    ) -> List[Any]:
        """What matches the text of the last message; at most ``top_k``, if that is among the filters."""
        query = text_of(messages[-1]) if isinstance(messages, list) and messages else ""
        if not query:
            return []
        return matching(await self._all(user_id), query)[-(limit_of(filters) or 0) :]

    async def list_memory(self, user_id: str, filters: Optional[Dict[str, Any]] = None) -> List[Any]:
        """All memories of a user, in pages."""
        return page_of(await self._all(user_id), filters)

    async def delete_memory(self, user_id: str, session_id: Optional[str] = None) -> None:
        """Forgets the memories of a session, or all of a user."""
        if session_id:
            await self.client.hdel(_key(user_id), session_id)
        else:
            await self.client.delete(_key(user_id))

    async def delete_user_memory(self, user_id: str) -> None:
        """Forgets all memories of a user."""
        await self.client.delete(_key(user_id))

    async def clear_all_memory(self) -> None:
        """Forgets the memories of all users."""
        async for key in self.keys(_key("")):
            await self.client.delete(key)

    async def _all(self, user_id: str) -> List[Any]:
        fields: Dict[str, str] = await self.client.hgetall(_key(user_id))
        if fields:
            await self.touch(_key(user_id))
        return [stored(message) for known in sorted(fields) for message in json.loads(fields[known])]


def _key(user_id: str) -> str:
    return f"user_memory:{user_id}"


class MemoryServiceFactory(ServiceFactory[MemoryService]):
    """Creates memory services."""

    _env_prefix = "MEMORY_"
    _registry = {"in_memory": InMemoryMemoryService, "redis": RedisMemoryService}
