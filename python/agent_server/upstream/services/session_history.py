"""Conversations."""

from __future__ import annotations

import uuid
from abc import abstractmethod
from typing import Any, Dict, List, Optional, Union

from .._current import current
from ..schemas import Message, Session
from .base import ServiceWithLifecycleManager

__all__ = ["InMemorySessionHistoryService", "Session", "SessionHistoryService"]

Appended = Union[Message, List[Message], Dict[str, Any], List[Dict[str, Any]]]


class SessionHistoryService(ServiceWithLifecycleManager):
    """Keeps conversations."""

    async def start(self) -> None:
        """Starts."""

    async def stop(self) -> None:
        """Stops."""

    @abstractmethod
    async def create_session(self, user_id: str, session_id: Optional[str] = None) -> Session:
        """Begins a conversation; one that exists is forgotten."""

    @abstractmethod
    async def get_session(self, user_id: str, session_id: str) -> Optional[Session]:
        """A conversation."""

    @abstractmethod
    async def delete_session(self, user_id: str, session_id: str) -> None:
        """Forgets a conversation."""

    @abstractmethod
    async def list_sessions(self, user_id: str) -> List[Session]:
        """The conversations of a user, without messages."""

    async def append_message(self, session: Session, message: Appended) -> None:
        """Appends messages to a conversation, and to the object that the caller has."""


def as_messages(message: Optional[Appended]) -> List[Message]:
    """Messages as objects."""
    given = message if isinstance(message, list) else [message]
    return [
        each if isinstance(each, Message) else Message.model_validate(each) for each in given if each is not None
    ]


def stored(message: Any) -> Any:
    """A message that was stored: an object, or a dictionary if it is not of this protocol."""
    try:
        return Message.model_validate(message)
    except ValueError:
        return message


class InMemorySessionHistoryService(SessionHistoryService):
    """The conversation of the current run is the server's, which outlives this process.

    The server adds to it what the run is asked and answers, so what a script appends counts until the run ends. Other
    conversations are kept in this process.
    """

    def __init__(self) -> None:
        self._sessions: Optional[Dict[str, Dict[str, Session]]] = None

    async def start(self) -> None:
        """Starts with no conversations."""
        if self._sessions is None:
            self._sessions = {}

    async def stop(self) -> None:
        """Forgets the conversations that are kept in this process."""
        self._sessions = None

    async def health(self) -> bool:
        """Whether it was started."""
        return self._sessions is not None

    async def create_session(self, user_id: str, session_id: Optional[str] = None) -> Session:
        """Begins a conversation; one that exists is forgotten."""
        chosen = (session_id or "").strip() or str(uuid.uuid4())
        session = Session(id=chosen, user_id=user_id)
        found = current(user_id, chosen)
        if found is not None:
            found.added[id(self)] = []
        else:
            self._of(user_id)[chosen] = session.model_copy(deep=True)
        return session

    async def get_session(self, user_id: str, session_id: str) -> Optional[Session]:
        """A conversation; one that does not exist begins."""
        sessions = self._of(user_id)
        found = current(user_id, session_id)
        if found is not None:
            if id(self) not in found.added:
                found.added[id(self)] = [stored(message) for message in await found.messages_before()]
            messages = found.added[id(self)]
            return Session(id=session_id, user_id=user_id, messages=list(messages)).model_copy(deep=True)
        if session_id not in sessions:
            sessions[session_id] = Session(id=session_id, user_id=user_id)
        return sessions[session_id].model_copy(deep=True)

    async def delete_session(self, user_id: str, session_id: str) -> None:
        """Forgets a conversation. That of the current run is empty until the run ends."""
        self._of(user_id).pop(session_id, None)
        found = current(user_id, session_id)
        if found is not None:
            found.added[id(self)] = []

    async def list_sessions(self, user_id: str) -> List[Session]:
        """The conversations of a user that this process knows, without messages."""
        return [Session(id=known, user_id=user_id) for known in self._of(user_id)]

    async def append_message(self, session: Session, message: Appended) -> None:
        """Appends messages to a conversation, and to the object that the caller has."""
        added = as_messages(message)
        session.messages = [*session.messages, *added]
        copies = [each.model_copy(deep=True) for each in added]
        found = current(session.user_id, session.id)
        if found is not None:
            await self.get_session(session.user_id, session.id)
            found.added[id(self)] += copies
        else:
            sessions = self._of(session.user_id)
            known = sessions.setdefault(session.id, Session(id=session.id, user_id=session.user_id))
            known.messages = [*known.messages, *copies]

    def _of(self, user_id: str) -> Dict[str, Session]:
        if self._sessions is None:
            raise RuntimeError("Service not started")
        return self._sessions.setdefault(user_id, {})
