"""A memory for agents of AgentScope 1.x that is a conversation of a session history service."""

from __future__ import annotations

import importlib
from typing import Any, Dict, List, Optional, Set, Tuple

from ..services.session_history import SessionHistoryService
from .agentscope_message import agentscope_msg_to_message, message_to_agentscope_msg

__all__ = ["AgentScopeSessionHistoryMemory"]

Marked = Tuple[Any, Set[str]]

_memory: Any = importlib.import_module("agentscope.memory")


class AgentScopeSessionHistoryMemory(_memory.MemoryBase):  # type: ignore[misc]
    """Reads the conversation when it is first used, and writes through to the service.

    Messages that an agent marks when it adds them are notes for itself: they are kept here, and not in the
    conversation.
    """

    def __init__(self, service: SessionHistoryService, user_id: str, session_id: str) -> None:
        super().__init__()
        self._service, self.user_id, self.session_id = service, user_id, session_id
        self._messages: Optional[List[Marked]] = None

    def state_dict(self) -> Dict[str, Any]:
        """Nothing: the conversation is the service's."""
        return {}

    def load_state_dict(self, state_dict: Dict[str, Any], strict: bool = True) -> None:
        """Nothing: the conversation is the service's."""

    async def size(self) -> int:
        """How many messages there are."""
        return len(await self._all())

    async def add(self, memories: Any, marks: Any = None, allow_duplicates: bool = False, **_options: Any) -> None:
        """Adds messages, unless they are there already."""
        messages = await self._all()
        known = set() if allow_duplicates else {msg.id for msg, _marks in messages}
        given = memories if isinstance(memories, list) else [memories]
        added = [msg for msg in given if msg is not None and msg.id not in known]
        messages += [(msg, _names(marks)) for msg in added]
        if not _names(marks) and added:
            await self._service.append_message(await self._session(), agentscope_msg_to_message(added))

    async def delete(self, msg_ids: Any, **_options: Any) -> int:
        """Deletes messages by their ids, or by their positions, and returns how many."""
        given = msg_ids if isinstance(msg_ids, (list, tuple, set)) else [msg_ids]
        messages = await self._all()
        kept = [each for place, each in enumerate(messages) if each[0].id not in given and place not in given]
        return await self._keep(kept)

    async def delete_by_mark(self, mark: Any, *_args: Any, **_options: Any) -> int:
        """Deletes the messages with any of these marks, and returns how many."""
        return await self._keep([each for each in await self._all() if not each[1] & _names(mark)])

    async def clear(self) -> None:
        """Deletes all messages."""
        await self._keep([])

    async def get_memory(
        self,
        mark: Optional[str] = None,
        exclude_mark: Optional[str] = None,
        prepend_summary: bool = True,
        **_options: Any,
    ) -> List[Any]:
        """The messages, with or without those that have a mark."""
        found = [
            msg
            for msg, marks in await self._all()
            if (mark is None or mark in marks) and (exclude_mark is None or exclude_mark not in marks)
        ]
        summary = getattr(self, "_compressed_summary", None)
        if not (prepend_summary and summary):
            return found
        msg: Any = importlib.import_module("agentscope.message").Msg
        return [msg("user", summary, "user"), *found]

    async def update_messages_mark(
        self, new_mark: Optional[str], old_mark: Optional[str] = None, msg_ids: Optional[List[str]] = None
    ) -> int:
        """Replaces a mark, or adds one, and returns of how many messages."""
        count = 0
        for msg, marks in await self._all():
            if (msg_ids is None or msg.id in msg_ids) and (old_mark is None or old_mark in marks):
                marks.difference_update(_names(old_mark))
                marks.update(_names(new_mark))
                count += 1
        return count

    async def _session(self) -> Any:
        session = await self._service.get_session(self.user_id, self.session_id)
        return session or await self._service.create_session(self.user_id, self.session_id)

    async def _all(self) -> List[Marked]:
        if self._messages is None:
            stored = (await self._session()).messages
            self._messages = [(msg, set()) for msg in (message_to_agentscope_msg(stored) if stored else [])]
        return self._messages

    async def _keep(self, kept: List[Marked]) -> int:
        messages = await self._all()
        gone = [each for each in messages if not any(each is other for other in kept)]
        self._messages = kept
        if any(not marks for _msg, marks in gone):
            await self._service.delete_session(self.user_id, self.session_id)
            whole = agentscope_msg_to_message([msg for msg, marks in kept if not marks])
            await self._service.append_message(await self._session(), whole)
        return len(gone)


def _names(marks: Any) -> Set[str]:
    return set() if marks is None else {marks} if isinstance(marks, str) else set(marks)
