"""Messages of LangGraph."""

from __future__ import annotations

import json
from typing import Any, List

from ..schemas import DataContent, Message, MessageType, Role, TextContent
from ._read import read

__all__ = ["langgraph_msg_to_message", "message_to_langgraph_msg"]

_ROLES = {"human": Role.USER, "ai": Role.ASSISTANT, "system": Role.SYSTEM, "tool": Role.TOOL}


def message_to_langgraph_msg(messages: Any, **_options: Any) -> Any:
    """LangChain's messages for those of the protocol."""
    found = read("langgraph", messages)
    return found if isinstance(messages, list) or len(found) != 1 else found[0]


def langgraph_msg_to_message(messages: Any) -> List[Message]:
    """Messages of the protocol for those of LangChain: each call of a tool is one."""
    given = messages if isinstance(messages, list) else [messages]
    return [message for each in given for message in _converted(each)]


def _converted(message: Any) -> List[Message]:
    role = _ROLES.get(message.type, Role.ASSISTANT)
    metadata = {"original_id": message.id, "name": message.name, "metadata": message.additional_kwargs}
    calls = [
        {"call_id": call["id"], "name": call["name"], "arguments": json.dumps(call["args"])}
        for call in getattr(message, "tool_calls", None) or []
    ]
    contents: List[Any] = [(MessageType.PLUGIN_CALL, DataContent(data=call)) for call in calls]
    if message.content or not calls:
        text = message.content if isinstance(message.content, str) else str(message.content)
        contents.append((MessageType.MESSAGE, TextContent(text=text)))
    return [_whole(kind, role, content, metadata) for kind, content in contents]


def _whole(kind: str, role: str, content: Any, metadata: Any) -> Message:
    message = Message(type=kind, role=role, metadata=metadata)  # type: ignore[arg-type]
    content.index, content.msg_id, content.delta = 0, message.id, False
    message.content = [content.completed()]
    return message.completed()
