"""The stream of agentscope 2.x: events of a reply."""

from __future__ import annotations

import base64
from typing import Any, Callable

from .._run import Run
from ._answer import Answer, to_json

_PLACES = {"image": "image_url", "video": "video_url", "audio": "data"}


class Events:
    """Writes the events."""

    def __init__(self, run: Run, is_clients: Callable[[str], bool] = lambda name: False) -> None:
        self._run, self._is_clients = run, is_clients
        self._answer = Answer(run)
        self._media: dict[str, tuple[str, str | None, list[bytes | str]]] = {}
        self._outputs: dict[str, tuple[str, list[dict[str, Any]]]] = {}

    async def add(self, event: Any) -> None:
        """Writes an event. Those that concern only the framework have no method here."""
        write = getattr(self, "_" + str(getattr(event, "type", "")).lower(), None)
        if write is not None:
            await write(event)

    async def end(self) -> None:
        """Closes what is left open."""
        await self._answer.close()

    async def _text_block_start(self, event: Any) -> None:
        await self._answer.end_message()

    async def _text_block_delta(self, event: Any) -> None:
        await self._answer.text(event.delta)

    async def _thinking_block_start(self, event: Any) -> None:
        await self._answer.end_message()

    async def _thinking_block_delta(self, event: Any) -> None:
        await self._answer.text(event.delta, "reasoning")

    async def _data_block_start(self, event: Any) -> None:
        self._media[event.block_id] = (event.media_type, event.name, [])

    async def _data_block_delta(self, event: Any) -> None:
        # Each piece of the data has a base64 encoding of its own.
        piece = base64.b64decode(event.data) if event.url is None else str(event.url)
        self._media[event.block_id][2].append(piece)

    async def _data_block_end(self, event: Any) -> None:
        media_type, name, pieces = self._media.pop(event.block_id)
        await self._answer.end_message()
        await self._answer.put(content(media_type, name, pieces))
        await self._answer.close()

    async def _tool_call_start(self, event: Any) -> None:
        by_client = self._is_clients(event.tool_call_name)
        await self._answer.call(event.tool_call_id, event.tool_call_name, by_client=by_client)

    async def _tool_call_delta(self, event: Any) -> None:
        await self._answer.call(event.tool_call_id, "", event.delta)

    async def _tool_call_end(self, event: Any) -> None:
        await self._answer.end_call(event.tool_call_id)

    async def _tool_result_start(self, event: Any) -> None:
        self._outputs[event.tool_call_id] = (event.tool_call_name, [])

    async def _tool_result_text_delta(self, event: Any) -> None:
        if event.tool_call_id not in self._outputs:
            # The client has sent it, so the conversation has it already.
            return
        blocks = self._outputs[event.tool_call_id][1]
        if blocks and blocks[-1]["type"] == "text":
            blocks[-1]["text"] += event.delta
        else:
            blocks.append({"type": "text", "text": event.delta})

    async def _tool_result_data_delta(self, event: Any) -> None:
        if event.tool_call_id not in self._outputs:
            return
        blocks = self._outputs[event.tool_call_id][1]
        source = {"type": "url", "url": event.url} if event.url else {"type": "base64", "data": event.data}
        blocks.append({"type": "data", "source": {**source, "media_type": event.media_type}})

    async def _tool_result_end(self, event: Any) -> None:
        if event.tool_call_id not in self._outputs:
            return
        name, blocks = self._outputs.pop(event.tool_call_id)
        texts = [block["text"] for block in blocks if block["type"] == "text"]
        output = "".join(texts) if len(texts) == len(blocks) else to_json(blocks)
        await self._answer.output(event.tool_call_id, output, name)

    async def _model_call_end(self, event: Any) -> None:
        self._answer.usage.add(input_tokens=event.input_tokens, output_tokens=event.output_tokens)
        await self._answer.close()

    async def _reply_end(self, event: Any) -> None:
        await self.end()
        if event.error is not None:
            raise RuntimeError(f"the agent ended its reply with an error: {event.error.message}")

    async def _custom(self, event: Any) -> None:
        await self._run.emit({**event.value, "object": f"agentscope.{event.name}"})


def content(media_type: str, name: str | None, pieces: list[bytes | str]) -> dict[str, Any]:
    """A medium as one of our contents. It is at an address, or in the pieces."""
    url = next((piece for piece in pieces if isinstance(piece, str)), None)
    if url is None:
        data = base64.b64encode(b"".join(piece for piece in pieces if isinstance(piece, bytes))).decode()
        url = f"data:{media_type};base64,{data}"
    kind, _, form = media_type.partition("/")
    if kind not in _PLACES:
        return {"type": "file", "file_data" if url.startswith("data:") else "file_url": url, "filename": name}
    whole = {"type": kind, _PLACES[kind]: url}
    return {**whole, "format": form} if kind == "audio" else whole
