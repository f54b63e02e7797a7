"""LangGraph: what a graph streams, as messages of a run."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any, AsyncIterator, Callable, Mapping, Sequence

from .._run import Run
from ._answer import to_text
from ._langgraph_config import Config, Graph, read_config
from ._langgraph_message import ModelMessage
from ._conversation import Calls, Output, Said, audio_url, entries, text_of_content

__all__ = ["Config", "Graph", "handler", "read", "read_config", "write"]

_ROLES = {"human": "user", "system": "system"}


async def write(run: Run, items: AsyncIterator[Any]) -> None:
    """Writes a stream of a graph.

    An item is a message, a pair of a message and whether it is the last piece (or its metadata), or what
    ``graph.astream`` yields with several stream modes: ``(mode, payload)`` or ``(namespace, mode, payload)``.
    """
    stream = _Stream(run)
    async for item in items:
        await stream.take(item)
    await stream.close()


def read(messages: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Our messages as LangChain messages."""
    langchain = import_module("langchain_core.messages")
    types: dict[str, Any] = {"user": langchain.HumanMessage, "system": langchain.SystemMessage}
    result: list[Any] = []
    for entry in entries(messages):
        if isinstance(entry, Calls):
            calls = [{"name": call.name, "args": call.parsed(), "id": call.id} for call in entry.calls]
            result.append(langchain.AIMessage("", tool_calls=calls))
        elif isinstance(entry, Output):
            status = "error" if entry.is_error else "success"
            result.append(
                langchain.ToolMessage(entry.text, tool_call_id=entry.call_id, name=entry.name or None, status=status)
            )
        elif entry.kind == "message" and entry.role == "tool":
            call_id = (entry.message.get("metadata") or {}).get("tool_call_id") or ""
            result.append(langchain.ToolMessage(entry.text, tool_call_id=call_id))
        # Models take their reasoning back only with their own signature, which is lost.
        elif entry.kind == "message":
            result.append(types.get(entry.role, langchain.AIMessage)(_content_of(entry)))
    return result


def handler(candidate: object) -> Callable[[Run], Any] | None:
    """The function that answers a run with a compiled graph; nothing if this is none."""
    if not _is_a("Pregel", candidate):
        return None
    from ._langgraph_thread import answer

    async def handle(run: Run) -> None:
        await answer(run, candidate)

    return handle


def compiled(candidate: Any) -> Any:
    """The graph if it is compiled, or compiles it; nothing if this is no graph."""
    if _is_a("StateGraph", candidate):
        return candidate.compile()
    return candidate if _is_a("Pregel", candidate) else None


def _is_a(name: str, candidate: object) -> bool:
    return any(kind.__name__ == name and kind.__module__.startswith("langgraph.") for kind in type(candidate).__mro__)


def _content_of(said: Said) -> Any:
    """A text if there is nothing else, because some models take only texts."""
    blocks = [block for content in said.contents if (block := _block_of(content))]
    if any(block["type"] != "text" for block in blocks):
        return blocks
    return "".join(block["text"] for block in blocks)


def _block_of(content: Mapping[str, Any]) -> dict[str, Any] | None:
    kind = content.get("type")
    if kind == "image" and content.get("image_url"):
        return {"type": "image_url", "image_url": {"url": content["image_url"]}}
    if kind == "audio" and content.get("data"):
        head, _, data = audio_url(content).partition(";base64,")
        if not data:
            return {"type": "audio", "url": head}
        return {"type": "input_audio", "input_audio": {"data": data, "format": head.rpartition("/")[2]}}
    if kind == "file":
        names = {"file_url": "url", "file_data": "base64", "file_id": "file_id"}
        given = {name: content[key] for key, name in names.items() if content.get(key)}
        return {"type": "file", **given, "filename": content.get("filename")} if given else None
    text = text_of_content(content)
    return {"type": "text", "text": text} if text else None


class _Stream:
    """The messages of a stream. Nodes may run at once, so each message of a model is written on its own."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._open: dict[str | None, ModelMessage] = {}
        self._done: set[str] = set()
        self._names: dict[str, str] = {}

    async def take(self, item: Any) -> None:
        """Writes an item."""
        pair = item if isinstance(item, tuple) else (item, False)
        if _is_message(pair[0]):
            await self._message(pair[0], len(pair) > 1 and pair[1] is True)
        elif len(pair) in (2, 3) and isinstance(pair[-2], str):
            await self._of_mode(pair[-2], pair[-1])
        elif len(pair) == 2 and isinstance(pair[0], tuple) and isinstance(pair[1], tuple):
            # With subgraphs and the stream mode "messages" only.
            await self.take(pair[1])
        else:
            raise TypeError(
                f"the stream of a graph has messages or (message, is_last), not {type(item).__name__}: "
                'stream the graph with stream_mode="messages"'
            )

    async def close(self) -> None:
        """Closes what is open."""
        for key in list(self._open):
            await self._close(key)

    async def _of_mode(self, mode: str, payload: Any) -> None:
        # The other modes repeat the messages, even those of earlier turns, except for raw ones, which only updates have.
        if mode == "messages":
            await self._message(payload[0], False)
        elif mode == "updates":
            for message in _raw_messages(payload):
                await self._message(message, False)
        elif mode == "custom":
            is_event = isinstance(payload, Mapping) and isinstance(payload.get("object"), str)
            event = payload if is_event else {"object": "langgraph.custom", "data": payload}
            await self._run.emit(json.loads(json.dumps(event, default=str)))

    async def _message(self, message: Any, is_last: bool) -> None:
        if message.type == "AIMessageChunk":
            if message.id not in self._open:
                self._open[message.id] = ModelMessage(self._run)
            await self._open[message.id].write(message)
            if is_last or getattr(message, "chunk_position", None) == "last":
                await self._close(message.id)
        elif message.id in self._open:
            # Its pieces were written before.
            await self._close(message.id)
        elif message.id not in self._done and message.type != "remove":
            await self._whole(message)
            if message.id is not None:
                self._done.add(message.id)

    async def _whole(self, message: Any) -> None:
        if message.type == "tool":
            await self._output(message)
        else:
            whole = ModelMessage(self._run, _ROLES.get(message.type, "assistant"))
            await whole.write(message)
            self._names.update(await whole.close())

    async def _output(self, message: Any) -> None:
        call_id = message.tool_call_id or ""
        for key, opened in list(self._open.items()):
            # A model whose last piece says nothing of being the last.
            if opened.has_call(call_id):
                await self._close(key)
        name = message.name or self._names.get(call_id, "")
        await self._run.tool_output(name, call_id, to_text(message.content))

    async def _close(self, key: str | None) -> None:
        self._names.update(await self._open.pop(key).close())
        if key is not None:
            self._done.add(key)


def _raw_messages(update: Any) -> list[Any]:
    """The messages that nodes have returned as pairs such as ``("ai", text)``, or as objects with a role."""
    raw: list[Any] = []
    for returned in update.values() if isinstance(update, Mapping) else ():
        messages = returned.get("messages") if isinstance(returned, Mapping) else None
        listed = messages if isinstance(messages, list) else [messages]
        raw += (message for message in listed if isinstance(message, (tuple, dict)))
    converted: list[Any] = import_module("langchain_core.messages").convert_to_messages(raw) if raw else []
    return converted


def _is_message(item: object) -> bool:
    return isinstance(getattr(item, "type", None), str) and hasattr(item, "additional_kwargs")
