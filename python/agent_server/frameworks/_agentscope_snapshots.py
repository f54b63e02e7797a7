"""The stream of agentscope 1.x: pairs of a message, as it is so far, and whether that is the whole of it."""

from __future__ import annotations

from typing import Any, Mapping

from .._run import Message, Run, ToolCall
from ._answer import Usage, plain, to_json

Block = Mapping[str, Any]

_KINDS = {"text": "message", "thinking": "reasoning"}
_MEDIA = ("image", "audio", "video", "file")


class _Text:
    """A text that grows."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.text = ""
        self.message: Message | None = None
        self.is_cumulative = False

    def grow(self, text: str) -> str:
        """Takes what the text is now, and returns what is new. A stream may also have only the new pieces."""
        before, self.text = self.text, text
        if text.startswith(before):
            self.is_cumulative = self.is_cumulative or bool(before)
            return text[len(before) :]
        if self.is_cumulative and before.startswith(text):
            # Models trim the end of what they have written.
            self.text = before
            return ""
        return text


class _Speech:
    """A message of agentscope, and what of it is written."""

    def __init__(self) -> None:
        self.texts: dict[tuple[str, int], _Text] = {}
        self.calls: dict[str, tuple[Message | ToolCall, Block]] = {}
        self.written: set[str] = set()
        self.open: _Text | None = None
        self.only: _Text | None = None
        """The text that was all there was."""
        self.newest: Any = None
        self.others = 0
        self.has_usage = False


class Snapshots:
    """Writes the stream."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._speeches: dict[str, _Speech] = {}
        self._speaking: dict[str, _Speech] = {}
        self._called: dict[str, Block] = {}
        self._outputs: dict[str, str] = {}
        self._usage = Usage()

    async def add(self, item: Any) -> None:
        """Writes what an item adds to the items before it."""
        try:
            message, is_last, sound = item[0], item[1], item[2] if len(item) > 2 else None
            name, content = message.id, message.content
        except (TypeError, LookupError, AttributeError):
            raise TypeError(
                "a stream of agentscope has pairs of a message and whether it is complete, such as "
                f"stream_printing_messages yields, not {type(item).__name__} {item!r:.100}"
            ) from None
        speech = self._speeches.get(name)
        if speech is None:
            speech = await self._begin(message)
        speech.newest = message
        text = speech.only
        if text is not None and not is_last and not sound and type(content) is list and len(content) == 1:
            # Most items are this one text, so there are few steps on the way.
            opened, block = text.message, content[0]
            if opened is not None and block["type"] == text.kind:
                delta = text.grow(block.get(text.kind) or "")
                if delta and opened._put_text(delta) <= 0:
                    await self._run._ready()
                return
        if is_last:
            self._count(speech)
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
        await self._write(speech, [*blocks, *_sounds(sound)] if sound else blocks, is_last)
        if is_last:
            await self._end(speech)

    async def end(self) -> None:
        """Closes what is left open."""
        for speech in self._speeches.values():
            self._count(speech)
            blocks = speech.newest.content
            await self._write(speech, [] if isinstance(blocks, str) else blocks or [], True)
            await self._end(speech)

    async def _begin(self, message: Any) -> _Speech:
        # Speakers say one thing after the other, even if they do not say that one is complete.
        before = self._speaking.get(message.name)
        if before is not None:
            await self._end(before)
        speech = self._speeches[message.id] = self._speaking[message.name] = _Speech()
        return speech

    async def _write(self, speech: _Speech, blocks: list[Block], is_last: bool) -> None:
        counts = {"text": 0, "thinking": 0}
        others = 0
        for block in blocks:
            kind = block["type"]
            if kind in counts:
                place = (kind, counts[kind])
                counts[kind] += 1
                text = speech.texts.get(place)
                if text is None:
                    text = speech.texts[place] = _Text(kind)
                speech.only = text if len(blocks) == 1 else None
                delta = text.grow(block.get(kind) or "")
                if delta:
                    message = text.message or await self._begin_text(speech, text)
                    if message._put_text(delta) <= 0:
                        await self._run._ready()
            elif kind == "tool_use":
                await self._call(speech, block)
            elif kind == "tool_result":
                await self._output(speech, block, is_last)
            elif is_last:
                others += 1
                if others > speech.others:
                    speech.others = others
                    await self._put(speech, _content(block))

    async def _begin_text(self, speech: _Speech, text: _Text) -> Message:
        await self._end_text(speech)
        message = text.message = self._run.message(_KINDS[text.kind])
        speech.open = text
        return message

    async def _end_text(self, speech: _Speech) -> None:
        found, speech.open = speech.open, None
        if found is not None and found.message is not None:
            message, found.message = found.message, None
            await self._close(speech, message)

    async def _call(self, speech: _Speech, block: Block) -> None:
        call_id = str(block["id"])
        if call_id in speech.written:
            return
        if call_id in speech.calls:
            speech.calls[call_id] = (speech.calls[call_id][0], block)
            return
        await self._end_text(speech)
        self._called[call_id] = block
        is_mcp = block.get("tool_type") == "mcp"
        opened = self._run.message("mcp_call") if is_mcp else self._run.tool_call(block["name"], call_id)
        speech.calls[call_id] = (opened, block)

    async def _end_call(self, speech: _Speech, call_id: str) -> None:
        opened, block = speech.calls.pop(call_id)
        speech.written.add(call_id)
        given = block.get("input")
        arguments = given if isinstance(given, str) else to_json({} if given is None else given)
        if isinstance(opened, Message):
            data = {"call_id": call_id, "arguments": arguments, "name": block["name"]}
            await opened.put({"type": "data", "data": {**data, "server_label": block.get("server_label")}})
            await self._close(speech, opened)
        else:
            await opened.text(arguments)
            await opened._close()

    async def _output(self, speech: _Speech, block: Block, is_last: bool) -> None:
        """Writes an output once it is complete, and again if it changes after that."""
        call_id = str(block["id"])
        output = to_json(block.get("output")) if is_last else None
        if output is None or output == self._outputs.get(call_id):
            return
        self._outputs[call_id] = output
        await self._end_text(speech)
        for each in self._speeches.values():
            if call_id in each.calls:
                await self._end_call(each, call_id)
        called = self._called.get(call_id, {})
        name = block.get("name") or called.get("name") or ""
        if called.get("tool_type") == "mcp":
            message = self._run.message("mcp_call_output", "tool")
            await message.put({"type": "data", "data": {"call_id": call_id, "name": name, "output": output}})
            await message._close()
        else:
            await self._run.tool_output(name, call_id, output)

    async def _put(self, speech: _Speech, content: Mapping[str, Any]) -> None:
        await self._end_text(speech)
        message = self._run.message()
        await message.put(content)
        await self._close(speech, message)

    async def _end(self, speech: _Speech) -> None:
        await self._end_text(speech)
        for call_id in list(speech.calls):
            await self._end_call(speech, call_id)

    async def _close(self, speech: _Speech, message: Message) -> None:
        if speech.newest.metadata:
            message.set_metadata(plain(speech.newest.metadata))
        self._usage.report(message)
        await message._close()

    def _count(self, speech: _Speech) -> None:
        usage = getattr(speech.newest, "usage", None)
        if usage and not speech.has_usage:
            # Once, because the usage of a run is the sum over its messages.
            speech.has_usage = True
            self._usage.add(**(usage if isinstance(usage, Mapping) else vars(usage)))


def _sounds(spoken: Any) -> list[Block]:
    """What the agent has said aloud with the message."""
    return list(spoken) if isinstance(spoken, list) else [spoken]


def _content(block: Block) -> dict[str, Any]:
    kind, source = block["type"], block.get("source") or {}
    if kind not in _MEDIA or not source:
        return {"type": "data", "data": plain(block)}
    is_url = source.get("type") == "url"
    media_type = source.get("media_type") or "image/jpeg"
    value = str(source["url"]) if is_url else f"data:{media_type};base64,{source['data']}"
    if kind == "audio":
        form = value.rsplit("?")[0].rpartition(".")[2] if is_url else media_type
        return {"type": "audio", "data": value, "format": form}
    if kind == "file":
        place = "file_url" if is_url else "file_data"
        return {"type": "file", place: value, "filename": block.get("filename")}
    return {"type": kind, f"{kind}_url": value}
