"""A long-term memory for agents of AgentScope 1.x that is a memory service."""

from __future__ import annotations

import importlib
from typing import Any, List

from ..schemas import Message, Role, TextContent
from ..services.memory import MemoryService, text_of
from .agentscope_message import agentscope_msg_to_message

__all__ = ["AgentScopeLongTermMemory"]

_memory: Any = importlib.import_module("agentscope.memory")
_tool: Any = importlib.import_module("agentscope.tool")


class AgentScopeLongTermMemory(_memory.LongTermMemoryBase):  # type: ignore[misc]
    """Keeps what the agent records, and finds it again."""

    def __init__(self, service: MemoryService, user_id: str, session_id: str) -> None:
        super().__init__()
        self._service, self.user_id, self.session_id = service, user_id, session_id

    async def record(self, msgs: List[Any], **_options: Any) -> None:
        """Keeps messages."""
        messages = agentscope_msg_to_message([msg for msg in msgs if msg is not None])
        await self._service.add_memory(self.user_id, messages, self.session_id)

    async def retrieve(self, msg: Any, limit: int = 5, **_options: Any) -> str:
        """What matches a message."""
        messages = agentscope_msg_to_message(msg) if msg else []
        return await self._search(messages, limit)

    async def record_to_memory(self, thinking: str, content: List[str], **_options: Any) -> Any:
        """Keeps texts. The agent calls this as a tool.

        Args:
            thinking (`str`): Why they are worth keeping.
            content (`list[str]`): The texts.
        """
        await self._service.add_memory(self.user_id, [_user(text) for text in content], self.session_id)
        return _response("Successfully recorded content to memory")

    async def retrieve_from_memory(self, keywords: List[str], limit: int = 5, **_options: Any) -> Any:
        """Finds what matches keywords. The agent calls this as a tool.

        Args:
            keywords (`list[str]`): What to look for.
            limit (`int`): How much to return at most.
        """
        return _response(await self._search([_user(" ".join(keywords))], limit))

    async def _search(self, messages: List[Message], limit: int) -> str:
        if not messages:
            return ""
        found = await self._service.search_memory(self.user_id, messages, {"top_k": limit})
        return "\n".join(text_of(message) or str(message) for message in found)


def _user(text: str) -> Message:
    return Message(role=Role.USER, content=[TextContent(text=text)])  # type: ignore[arg-type]


def _response(text: str) -> Any:
    return _tool.ToolResponse(content=[{"type": "text", "text": text}])
