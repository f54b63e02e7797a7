"""Messages of AgentScope 1.x."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Optional

from ..schemas import AudioContent, DataContent, ImageContent, Message, MessageType, Role, TextContent
from ._read import read

__all__ = ["agentscope_msg_to_message", "message_to_agentscope_msg"]


def message_to_agentscope_msg(messages: Any, **_options: Any) -> Any:
    """AgentScope's messages for those of the protocol."""
    found = read("agentscope", messages)
    return found if isinstance(messages, list) or len(found) != 1 else found[0]


def agentscope_msg_to_message(messages: Any) -> List[Message]:
    """Messages of the protocol for those of AgentScope: reasoning, and each call and output of a tool, are one."""
    given = messages if isinstance(messages, list) else [messages]
    return [message for each in given for message in _converted(each)]


def _converted(msg: Any) -> List[Message]:
    blocks = [{"type": "text", "text": msg.content}] if isinstance(msg.content, str) else msg.content
    metadata = {"original_id": msg.id, "original_name": msg.name, "metadata": msg.metadata}
    messages: List[Message] = []
    for block in blocks:
        if not isinstance(block, dict):
            continue
        kind, content = _content(block)
        # Texts and media that follow each other are one message.
        if kind != MessageType.MESSAGE or not messages or messages[-1].type != kind:
            role: Any = msg.role if msg.role in Role.all_values() else Role.ASSISTANT
            messages.append(Message(type=kind, role=role, content=[], metadata=dict(metadata)))
        _append(messages[-1], content)
    return [message.completed() for message in messages]


def _append(message: Message, content: Any) -> None:
    contents: List[Any] = message.content or []
    content.index, content.msg_id, content.delta = len(contents), message.id, False
    message.content = [*contents, content.completed()]


def _content(block: Dict[str, Any]) -> Any:
    kind = block.get("type", "text")
    if kind == "text":
        return MessageType.MESSAGE, TextContent(text=block.get("text"))
    if kind == "thinking":
        return MessageType.REASONING, TextContent(text=block.get("thinking"))
    if kind == "tool_use":
        call = {"call_id": block.get("id"), "name": block.get("name"), "arguments": _json(block.get("input"))}
        return MessageType.PLUGIN_CALL, DataContent(data=call)
    if kind == "tool_result":
        output = _json(block.get("output")) or ""
        result = {"call_id": block.get("id"), "name": block.get("name"), "output": output}
        return MessageType.PLUGIN_CALL_OUTPUT, DataContent(data=result)
    return MessageType.MESSAGE, _medium(kind, block.get("source"), block)


def _json(value: Any) -> Optional[str]:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _medium(kind: str, source: Any, block: Dict[str, Any]) -> Any:
    source = source or {}
    if source.get("type") == "base64":
        media_type = source.get("media_type")
        url, form = f"data:{media_type};base64,{source.get('data')}", media_type
    else:
        url = source.get("url")
        form = str(url).partition("?")[0].rpartition(".")[2]
    if kind == "image":
        return ImageContent(image_url=url)
    if kind == "audio":
        return AudioContent(data=url, format=form)
    return TextContent(text=str(block))
