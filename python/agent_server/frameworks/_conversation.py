"""Our messages as turns of blocks, which agentscope 1.x and agno take nearly as they are.

A block is an object with a ``type``: text, thinking, tool_use, tool_result, image, audio, video or file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Iterator, Mapping, Sequence

from ._writer import json_text

Block = dict[str, Any]

CALLS = ("plugin_call", "function_call", "mcp_call")
OUTPUTS = ("plugin_call_output", "function_call_output", "mcp_call_output")
NO_OUTPUT = "The call has no output: it was interrupted before it ended."

# What a model is not to see: questions to the user are answered before it is called again.
_NOT_FOR_MODELS = ("mcp_list_tools", "mcp_approval_request", "mcp_approval_response", "heartbeat", "error")


@dataclass
class Turn:
    """What one speaker says."""

    id: str | None
    name: str
    role: str
    metadata: Any
    blocks: list[Block] = field(default_factory=list)

    @property
    def is_calls(self) -> bool:
        """Whether it has nothing but calls of tools."""
        return all(block["type"] == "tool_use" for block in self.blocks)


def turns(messages: Sequence[Mapping[str, Any]]) -> list[Turn]:
    """The turns of a conversation. Each call of a tool has an output, because models refuse those that have none."""
    found: list[Turn] = []
    by_key: dict[str, Turn] = {}
    for message in messages:
        kind = message.get("type") or "message"
        blocks = [] if kind in _NOT_FOR_MODELS else list(_blocks(kind, message))
        if not blocks:
            continue
        turn = _turn(kind, message)
        metadata = message.get("metadata") or {}
        key = metadata.get("original_id") or (None if metadata else message.get("id"))
        # Calls that a model has made at once are one turn, because their outputs follow all of them.
        is_parallel = kind in CALLS and found and found[-1].is_calls and "original_id" not in metadata
        joined = by_key.get(key) if key else None
        if joined is None and is_parallel:
            joined = found[-1]
        if joined is None:
            joined = turn
            found.append(turn)
            if key:
                by_key[key] = turn
        joined.blocks += blocks
    return _with_missing_outputs(found)


def _turn(kind: str, message: Mapping[str, Any]) -> Turn:
    metadata = message.get("metadata") or {}
    role = message.get("role") or ("tool" if kind in OUTPUTS else "assistant")
    return Turn(
        id=metadata.get("original_id") or message.get("id"),
        name=metadata.get("original_name") or role,
        role="system" if role == "tool" else role,
        metadata=metadata.get("metadata"),
    )


def _with_missing_outputs(found: list[Turn]) -> list[Turn]:
    answered = {block["id"] for turn in found for block in turn.blocks if block["type"] == "tool_result"}
    whole: list[Turn] = []
    for turn in found:
        whole.append(turn)
        missing = [block for block in turn.blocks if block["type"] == "tool_use" and block["id"] not in answered]
        if missing:
            results = [_result(block["id"], block["name"], NO_OUTPUT) for block in missing]
            whole.append(Turn(None, "system", "system", None, results))
    return whole


def _blocks(kind: str, message: Mapping[str, Any]) -> Iterator[Block]:
    contents = message.get("content") or []
    if kind in CALLS or kind in OUTPUTS:
        data = [content.get("data") or {} for content in contents]
        # A call without an id cannot have an output, but it is no reason to refuse the conversation.
        call_id = _first(data, "call_id") or message.get("id") or "call"
        if kind in CALLS:
            arguments = _parsed(_last(data, "arguments"))
            given = arguments if isinstance(arguments, dict) else {}
            yield {"type": "tool_use", "id": call_id, "name": _first(data, "name"), "input": given}
        else:
            yield _result(call_id, _first(data, "name"), _output(_last(data, "output")))
    elif kind == "reasoning":
        text = "".join(content.get("text") or "" for content in contents)
        if text:
            yield {"type": "thinking", "thinking": text}
    else:
        for content in contents:
            block = _block(content)
            if block is not None:
                yield block


def _result(call_id: str, name: str | None, output: Any) -> Block:
    return {"type": "tool_result", "id": call_id, "name": name, "output": output}


def _block(content: Mapping[str, Any]) -> Block | None:
    kind = content.get("type")
    if kind == "text":
        return None if content.get("text") is None else {"type": "text", "text": content["text"]}
    if kind == "refusal":
        return None if content.get("refusal") is None else {"type": "text", "text": content["refusal"]}
    if kind == "data":
        return {"type": "text", "text": json_text(content.get("data"))}
    if kind == "file":
        source = _source(content.get("file_url") or content.get("file_data"), "application/octet-stream")
        return source and {"type": "file", "filename": content.get("filename"), "source": source}
    if kind == "audio":
        source = _source(content.get("data"), f"audio/{content.get('format') or 'wav'}")
    elif kind == "image":
        source = _source(content.get("image_url"), None)
    else:
        source = _source(content.get("video_url"), None)
    return source and {"type": kind, "source": source}


def _source(value: str | None, media_type: str | None) -> Block | None:
    """Where a medium is: at an address, or in the value itself, which has this type if it does not name one."""
    if not value:
        return None
    if value.startswith("data:") and ";base64," in value:
        head, data = value[5:].split(";base64,", 1)
        return {"type": "base64", "media_type": head, "data": data}
    if media_type is None or "://" in value:
        return {"type": "url", "url": value}
    return {"type": "base64", "media_type": media_type, "data": value}


def _output(text: str) -> Any:
    """An output: blocks if the text has any, in the form of agentscope or of MCP, otherwise a text."""
    value = _parsed(text)
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        value = value["content"] if isinstance(value.get("content"), list) else [value]
    blocks = [_output_block(item) for item in value] if isinstance(value, list) else [None]
    return text if None in blocks else blocks


def _output_block(item: Any) -> Block | None:
    if not isinstance(item, dict):
        return None
    kind = item.get("type")
    if kind == "text" and isinstance(item.get("text"), str):
        return {"type": "text", "text": item["text"]}
    if kind in ("image", "audio", "video"):
        if isinstance(item.get("source"), dict):
            return {"type": kind, "source": item["source"]}
        if isinstance(item.get("data"), str):
            media_type = item.get("mimeType") or f"{kind}/*"
            return {"type": kind, "source": {"type": "base64", "media_type": media_type, "data": item["data"]}}
    return None


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _first(data: list[dict[str, Any]], key: str) -> Any:
    return next((each[key] for each in data if each.get(key)), None)


def _last(data: list[dict[str, Any]], key: str) -> str:
    """The last value that is not blank: streams of contents end with the whole one."""
    return next((each[key] for each in reversed(data) if str(each.get(key) or "").strip()), "")
