"""Conversations in Redis."""

from __future__ import annotations

import uuid
from typing import Any, List, Optional

from ..schemas import Session
from .factory import ServiceFactory
from .redis import InRedis
from .session_history import Appended, InMemorySessionHistoryService, SessionHistoryService, as_messages

__all__ = ["RedisSessionHistoryService", "SessionHistoryServiceFactory"]

_ATTEMPTS = 100


class RedisSessionHistoryService(InRedis, SessionHistoryService):
    """Keeps each conversation as one JSON value. Appending is atomic."""

    def __init__(self, *args: Any, max_messages_per_session: Optional[int] = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self._most = max_messages_per_session

    async def create_session(self, user_id: str, session_id: Optional[str] = None) -> Session:
        """Begins a conversation; one that exists is forgotten."""
        session = Session(id=(session_id or "").strip() or str(uuid.uuid4()), user_id=user_id)
        await self.client.set(_key(user_id, session.id), session.model_dump_json(), ex=self._ttl)
        return session

    async def get_session(self, user_id: str, session_id: str) -> Optional[Session]:
        """A conversation; nothing if there is none."""
        session = _parsed(await self.client.get(_key(user_id, session_id)))
        if session is not None:
            await self.touch(_key(user_id, session_id))
        return session

    async def delete_session(self, user_id: str, session_id: str) -> None:
        """Forgets a conversation."""
        await self.client.delete(_key(user_id, session_id))

    async def list_sessions(self, user_id: str) -> List[Session]:
        """The conversations of a user, without messages."""
        sessions = []
        async for key in self.keys(_key(user_id, "")):
            session = _parsed(await self.client.get(key))
            if session is not None and session.user_id == user_id:
                sessions.append(Session(id=session.id, user_id=user_id))
        return sessions

    async def append_message(self, session: Session, message: Appended) -> None:
        """Appends messages to a conversation, which begins if there is none, and to the object that the caller has."""
        from redis.exceptions import WatchError

        added, key = as_messages(message), _key(session.user_id, session.id)
        for _attempt in range(_ATTEMPTS):
            async with self.client.pipeline() as transaction:
                await transaction.watch(key)
                known = _parsed(await transaction.get(key)) or Session(id=session.id, user_id=session.user_id)
                known.messages = self._newest([*known.messages, *added])
                transaction.multi()
                transaction.set(key, known.model_dump_json(), ex=self._ttl)
                try:
                    await transaction.execute()
                except WatchError:
                    continue
            session.messages = self._newest([*session.messages, *added])
            return
        raise RuntimeError(f"the session {session.id} is changed all the time: nothing was appended")

    async def delete_user_sessions(self, user_id: str) -> None:
        """Forgets all conversations of a user."""
        for session in await self.list_sessions(user_id):
            await self.delete_session(user_id, session.id)

    def _newest(self, messages: List[Any]) -> List[Any]:
        return messages[-self._most :] if self._most else messages


def _key(user_id: str, session_id: str) -> str:
    return f"session:{user_id}:{session_id}"


def _parsed(text: Optional[str]) -> Optional[Session]:
    try:
        return None if text is None else Session.model_validate_json(text)
    except ValueError:
        return None


class SessionHistoryServiceFactory(ServiceFactory[SessionHistoryService]):
    """Creates session history services."""

    _env_prefix = "SESSION_HISTORY_"
    _registry = {"in_memory": InMemorySessionHistoryService, "redis": RedisSessionHistoryService}
