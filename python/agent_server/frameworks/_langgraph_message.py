"""One message of LangChain, whole or in pieces, as messages of a run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Iterator, Mapping

from .._run import Run
from ._answer import Answer

# The calls of a message are also in its `tool_calls` or `tool_call_chunks`.
_CALLS = ("tool_use", "tool_call", "tool_call_chunk", "invalid_tool_call", "function_call", "input_json_delta")


@dataclass
class _Call:
    """A call whose id or name may still be missing."""

    id: str | None
    name: str
    arguments: str = ""


class ModelMessage:
    """Writes a message; text, reasoning and each call become messages of their own."""

    def __init__(self, run: Run, role: str = "assistant") -> None:
        self._answer, self._role = Answer(run), role
        self._calls: dict[Any, _Call] = {}
        self._names: dict[str, str] = {}

    def has_call(self, call_id: str) -> bool:
        """Whether the message has made this call."""
        return call_id in self._names

    async def write(self, message: Any) -> None:
        """Writes a message or a piece of one."""
        reasoning = message.additional_kwargs.get("reasoning_content")
        if isinstance(reasoning, str):
            await self._answer.text(reasoning, "reasoning")
        for block in [message.content] if isinstance(message.content, str) else message.content:
            await self._block({"type": "text", "text": block} if isinstance(block, str) else block)
        if message.type == "AIMessageChunk":
            for piece in message.tool_call_chunks:
                await self._piece(piece)
        else:
            for call in _whole_calls(message):
                await self._start(call)
        if usage := getattr(message, "usage_metadata", None):
            names = ("input_tokens", "output_tokens", "total_tokens")
            self._answer.usage.add(**{name: usage.get(name) for name in names})

    async def close(self) -> dict[str, str]:
        """Closes the message, and returns the names of the tools that it calls, by the ids of the calls."""
        for key, call in self._calls.items():
            if call.id is None:
                # Some models give their calls no ids.
                call.id = f"call_{key}"
                await self._start(call)
        await self._answer.close()
        return self._names

    async def _block(self, block: Mapping[str, Any]) -> None:
        kind = block.get("type")
        if kind in ("text", "text_delta", "output_text"):
            await self._answer.text(block.get("text") or "", role=self._role)
        elif kind in ("reasoning", "thinking", "reasoning_content"):
            await self._answer.text(_reasoning_of(block), "reasoning")
        elif kind not in _CALLS:
            await self._answer.put(_content_of(block), self._role)

    async def _piece(self, piece: Mapping[str, Any]) -> None:
        """A piece of a call: the first has its id and name, the others have more of its arguments."""
        call_id, index = piece.get("id"), piece.get("index")
        key = index if index is not None else call_id or next(reversed(self._calls), None)
        call = self._calls.get(key)
        if call is None or call_id and call.id and call.id != call_id:
            call = self._calls[key] = _Call(None, "")
        name, arguments = piece.get("name") or "", piece.get("args") or ""
        if call.id is not None:
            await self._answer.call(call.id, call.name, arguments)
            return
        call.name, call.arguments = call.name or name, call.arguments + arguments
        if call_id and call.name:
            call.id = call_id
            await self._start(call)

    async def _start(self, call: _Call) -> None:
        assert call.id is not None
        self._names[call.id] = call.name
        await self._answer.call(call.id, call.name, call.arguments)


def _whole_calls(message: Any) -> Iterator[_Call]:
    for call in getattr(message, "tool_calls", ()):
        yield _Call(call["id"] or "", call["name"], json.dumps(call["args"], ensure_ascii=False))
    for call in getattr(message, "invalid_tool_calls", ()):
        yield _Call(call["id"] or "", call["name"] or "", call["args"] or "")


def _reasoning_of(block: Mapping[str, Any]) -> str:
    """The text, where the providers put it."""
    text = block.get("reasoning") or block.get("thinking") or block.get("text") or block.get("reasoning_content")
    if isinstance(text, Mapping):
        text = text.get("text")
    if text is None:
        text = "".join(part.get("text") or "" for part in block.get("summary") or ())
    return str(text)


def _content_of(block: Mapping[str, Any]) -> dict[str, Any]:
    """A block that is neither text nor a call."""
    kind = block.get("type")
    if kind == "image_url":
        image = block["image_url"]
        return {"type": "image", "image_url": image["url"] if isinstance(image, Mapping) else image}
    source = block.get("source") if isinstance(block.get("source"), Mapping) else block
    assert source is not None
    url = source.get("url") or _data_url(source)
    if kind == "image" and url:
        return {"type": "image", "image_url": url}
    if kind == "video" and url:
        return {"type": "video", "video_url": url}
    if kind == "file" and url:
        return {"type": "file", "file_url": url, "filename": block.get("filename")}
    if kind == "audio" and source.get("base64"):
        return {"type": "audio", "data": source["base64"], "format": str(source.get("mime_type", "")).split("/")[-1]}
    return {"type": "data", "data": json.loads(json.dumps(block, default=str))}


def _data_url(source: Mapping[str, Any]) -> str | None:
    data = source.get("base64") or source.get("data")
    media_type = source.get("mime_type") or source.get("media_type")
    return f"data:{media_type};base64,{data}" if data and media_type else None
