"""A conversation as turns of blocks, which agentscope and agno take nearly as they are.

A block is an object with a ``type``: text, thinking, tool_use, tool_result, image, audio, video or file.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Iterator, Mapping, Sequence

from .._run import Run
from ._answer import to_json
from ._conversation import OUTPUTS, Call, Calls, Message, Output, Said, entries

Block = dict[str, Any]


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


def turns(messages: Sequence[Message]) -> list[Turn]:
    """The turns of a conversation. Each call of a tool has an output, because models refuse those that have none."""
    found: list[Turn] = []
    by_key: dict[str, Turn] = {}
    for said in _said(messages):
        blocks = list(_blocks(said))
        if not blocks:
            continue
        metadata = said.message.get("metadata") or {}
        key = metadata.get("original_id") or (None if metadata else said.message.get("id"))
        turn = by_key.get(key) if key else None
        # Calls that a model has made at once are one turn, because their outputs follow all of them.
        if turn is None and isinstance(said, Call) and "original_id" not in metadata and found and found[-1].is_calls:
            turn = found[-1]
        if turn is None:
            turn = _turn(said.message)
            found.append(turn)
            if key:
                by_key[key] = turn
        turn.blocks += blocks
    return found


def _said(messages: Sequence[Message]) -> Iterator[Call | Output | Said]:
    for entry in entries(messages):
        if isinstance(entry, Calls):
            yield from entry.calls
        else:
            yield entry


def outputs_of_client(run: Run) -> dict[str, Any]:
    """The outputs that the request has, by the ids of their calls: a text or blocks."""
    found = turns([message for message in run.input if message.get("type") in OUTPUTS])
    return {block["id"]: block["output"] for turn in found for block in turn.blocks}


def result(call_id: str, name: str | None, output: Any) -> Block:
    """The block of an output."""
    return {"type": "tool_result", "id": call_id, "name": name, "output": output}


def _turn(message: Message) -> Turn:
    metadata = message.get("metadata") or {}
    role = message.get("role") or ("tool" if message.get("type") in OUTPUTS else "assistant")
    return Turn(
        id=metadata.get("original_id") or message.get("id"),
        name=metadata.get("original_name") or role,
        role="system" if role == "tool" else role,
        metadata=metadata.get("metadata"),
    )


def _blocks(said: Call | Output | Said) -> Iterator[Block]:
    if isinstance(said, Call):
        given = _parsed(said.arguments)
        arguments = given if isinstance(given, dict) else {}
        yield {"type": "tool_use", "id": said.id, "name": said.name, "input": arguments}
    elif isinstance(said, Output):
        yield result(said.call_id, said.name or None, _output(said.text))
    elif said.kind == "reasoning":
        if said.text:
            yield {"type": "thinking", "thinking": said.text}
    else:
        for content in said.contents:
            block = _block(content)
            if block is not None:
                yield block


def _block(content: Mapping[str, Any]) -> Block | None:
    kind = content.get("type")
    if kind == "text":
        return None if content.get("text") is None else {"type": "text", "text": content["text"]}
    if kind == "refusal":
        return None if content.get("refusal") is None else {"type": "text", "text": content["refusal"]}
    if kind == "data":
        return {"type": "text", "text": to_json(content.get("data"))}
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
