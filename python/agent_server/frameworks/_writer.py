"""Writes an answer that arrives in pieces: one text at a time, and calls of tools beside it."""

from __future__ import annotations

import json
from typing import Any, Mapping

from .._run import Message, Run


def json_text(value: object) -> str:
    """JSON as agentscope-runtime writes arguments and outputs; what JSON does not know becomes a text."""
    return json.dumps(value, ensure_ascii=False, default=str)


def plain(value: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping with nothing that JSON does not know."""
    copy: dict[str, Any] = json.loads(json_text(value))
    return copy


class Usage:
    """The tokens of model calls that no message has reported yet."""

    def __init__(self) -> None:
        self._waiting: dict[str, int] = {}

    def add(self, **counts: object) -> None:
        """Adds the counts of a model call. Frameworks report ``None`` for what they do not know, and other things."""
        for name, count in counts.items():
            if isinstance(count, int):
                self._waiting[name] = self._waiting.get(name, 0) + count

    def report(self, message: Message) -> None:
        """Sets the usage of a message that is about to be closed."""
        waiting, self._waiting = self._waiting, {}
        if waiting:
            if "input_tokens" in waiting and "output_tokens" in waiting:
                waiting.setdefault("total_tokens", waiting["input_tokens"] + waiting["output_tokens"])
            message.set_usage(waiting)


class Writer:
    """The messages of an answer, in order. A text ends where something else begins."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._open: tuple[str, Message] | None = None
        self._ends = False
        self._names: dict[str, str] = {}
        self.has_text = False
        self.usage = Usage()

    async def text(self, kind: str, delta: str) -> None:
        """Appends to a ``message`` or a ``reasoning``, and opens one if necessary."""
        if not delta:
            return
        if self._open is None or self._open[0] != kind or self._ends:
            await self.end_text()
            self._open = (kind, self._run.message(kind))
            self.has_text = self.has_text or kind == "message"
        if self._open[1]._put_text(delta) <= 0:
            await self._run._ready()

    def end_text_later(self) -> None:
        """Closes the text that is open before anything else is written; until then, its usage may be reported."""
        self._ends = True

    async def end_text(self) -> None:
        """Closes the text that is open."""
        self._ends = False
        if self._open is not None:
            (_, message), self._open = self._open, None
            self.usage.report(message)
            await message._close()

    async def put(self, content: Mapping[str, Any]) -> None:
        """Writes a message with one whole content, such as an image."""
        await self.end_text()
        message = self._run.message()
        await message.put(content)
        self.usage.report(message)
        await message._close()

    async def call(self, name: str, call_id: str, arguments: str, *, by_client: bool = False) -> None:
        """Writes a whole call of a tool."""
        await self.end_text()
        self._names[call_id] = name
        async with self._run.tool_call(name, call_id, by_client=by_client) as call:
            await call.text(arguments)

    async def output(self, name: str | None, call_id: str, output: str) -> None:
        """Writes the output of a tool. Frameworks that leave its name out get that of the call."""
        await self.end_text()
        await self._run.tool_output(name or self._names.get(call_id, ""), call_id, output)
