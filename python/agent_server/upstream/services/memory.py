"""Memories of users."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Dict, List, Optional

from .._current import current
from ..schemas import Message, MessageType, TextContent
from .base import ServiceWithLifecycleManager

__all__ = ["InMemoryMemoryService", "MemoryService"]

_FOUND = 100
"""How many memories of the server a search returns, unless it asks for another number."""


class MemoryService(ServiceWithLifecycleManager):
    """Keeps memories by user and session."""

    async def start(self) -> None:
        """Starts."""

    async def stop(self) -> None:
        """Stops."""

    @abstractmethod
    async def add_memory(self, user_id: str, messages: List[Any], session_id: Optional[str] = None) -> None:
        """Keeps messages."""

    @abstractmethod
    async def search_memory(
        self, user_id: str, messages: List[Any], filters: Optional[Dict[str, Any]] = None
    ) -> List[Any]:
        """What matches the text of the last message; at most ``top_k``, if that is among the filters."""

    @abstractmethod
    async def list_memory(self, user_id: str, filters: Optional[Dict[str, Any]] = None) -> List[Any]:
        """All memories of a user, in pages: ``page_num`` and ``page_size`` are among the filters."""

    @abstractmethod
    async def delete_memory(self, user_id: str, session_id: Optional[str] = None) -> None:
        """Forgets the memories of a session, or all of a user."""


def text_of(message: Any) -> str:
    """The first text of a message that is no call or output of a tool."""
    if not isinstance(message, Message) or message.type != MessageType.MESSAGE:
        return ""
    texts = (content.text for content in message.content or [] if isinstance(content, TextContent))
    return next(texts, None) or ""


def limit_of(filters: Optional[Dict[str, Any]]) -> Optional[int]:
    """How many memories to return at most."""
    limit = (filters or {}).get("top_k")
    return limit if isinstance(limit, int) and limit > 0 else None


def matching(messages: List[Any], query: str) -> List[Any]:
    """The messages that have any of the query's words."""
    words = query.lower().split()
    return [message for message in messages if any(word in text_of(message).lower() for word in words)]


def page_of(messages: List[Any], filters: Optional[Dict[str, Any]]) -> List[Any]:
    """A page of the messages."""
    number, size = (filters or {}).get("page_num", 1), (filters or {}).get("page_size", 10)
    return messages[(number - 1) * size : number * size] if number > 0 else []


class InMemoryMemoryService(MemoryService):
    """What is added during a run of the user is also kept by the server, and found there by later runs.

    Everything else is kept in this process.
    """

    def __init__(self) -> None:
        self._memories: Optional[Dict[str, Dict[str, List[Any]]]] = None

    async def start(self) -> None:
        """Starts with no memories."""
        if self._memories is None:
            self._memories = {}

    async def stop(self) -> None:
        """Forgets the memories that are kept in this process."""
        self._memories = None

    async def health(self) -> bool:
        """Whether it was started."""
        return self._memories is not None

    async def add_memory(self, user_id: str, messages: List[Any], session_id: Optional[str] = None) -> None:
        """Keeps messages."""
        self._of(user_id).setdefault(session_id or "default", []).extend(messages or [])
        found = current(user_id)
        kept = [message.model_dump(mode="json") for message in messages or [] if text_of(message)]
        if found is not None and kept:
            await found.run._ask("remember", {"messages": kept})

    async def search_memory(
        self, user_id: str, messages: List[Any], filters: Optional[Dict[str, Any]] = None
    ) -> List[Any]:
        """What matches the text of the last message; at most ``top_k``, if that is among the filters."""
        sessions = self._of(user_id)
        query = text_of(messages[-1]) if isinstance(messages, list) and messages else ""
        if not query:
            return []
        limit, found = limit_of(filters), current(user_id)
        if found is not None:
            recalled = await found.run._ask("recall", {"text": query, "limit": limit or _FOUND})
            return [Message.model_validate(message) for message in recalled]
        known = [message for memories in sessions.values() for message in memories]
        return matching(known, query)[-(limit or 0) :]

    async def list_memory(self, user_id: str, filters: Optional[Dict[str, Any]] = None) -> List[Any]:
        """What this process has been given, in pages."""
        sessions = self._of(user_id)
        return page_of([message for known in sorted(sessions) for message in sessions[known]], filters)

    async def delete_memory(self, user_id: str, session_id: Optional[str] = None) -> None:
        """Forgets what this process has been given. The server's memories of a user are deleted through its API."""
        if session_id:
            self._of(user_id).pop(session_id, None)
        else:
            self._of(user_id).clear()

    def _of(self, user_id: str) -> Dict[str, List[Any]]:
        if self._memories is None:
            raise RuntimeError("Service not started")
        return self._memories.setdefault(user_id, {})
