"""Writes what a model streams, as messages of a run."""

from __future__ import annotations

import json
from typing import Any, Mapping

from .._run import Message, Run, ToolCall

Usage = dict[str, int]


def usage_of(input_tokens: int | None, output_tokens: int | None, total_tokens: int | None = None) -> Usage:
    """Token counts under the names that the server adds up."""
    read, written = input_tokens or 0, output_tokens or 0
    return {"input_tokens": read, "output_tokens": written, "total_tokens": total_tokens or read + written}


def to_text(value: object) -> str:
    """The output of a tool as text: a text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


class Answer:
    """One answer of a model: text and reasoning, one after the other, and calls, which may be open at once."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._message: Message | None = None
        self._kind = ("", "")
        self._calls: dict[str, ToolCall] = {}
        self._with_arguments: set[str] = set()
        self._names: dict[str, str] = {}
        self._usage: Usage = {}
        self.metadata: Mapping[str, Any] | None = None
        """What the next messages get as metadata."""

    async def text(self, text: str, kind: str = "message", role: str = "assistant") -> None:
        """Appends to the message of this kind and role; opens it first if another one is open."""
        if text:
            await (await self._open(kind, role)).text(text)

    async def put(self, content: Mapping[str, Any], role: str = "assistant") -> None:
        """Adds a whole content to the message."""
        await (await self._open("message", role)).put(content)

    async def call(self, call_id: str, name: str, arguments: str = "") -> None:
        """Appends to the arguments of a call; opens it first if it is new."""
        call = self._calls.get(call_id)
        if call is None:
            await self._close_message()
            call = self._calls[call_id] = self._run.tool_call(name, call_id)
            self._names[call_id] = name
        if arguments:
            self._with_arguments.add(call_id)
            await call.text(arguments)

    def has_call(self, call_id: str) -> bool:
        """Whether the call was made in this answer."""
        return call_id in self._names

    async def output(self, call_id: str, output: object, name: str | None = None) -> None:
        """Writes the output of a call, which is complete with that."""
        await self._close_call(call_id)
        await self._run.tool_output(name or self._names.get(call_id, ""), call_id, to_text(output))

    async def end_message(self) -> None:
        """Closes the message that is open, so that the next text begins another one."""
        await self._close_message()

    def add_usage(self, usage: Mapping[str, int]) -> None:
        """Adds token counts; the last message to be closed shows them."""
        for key, count in usage.items():
            self._usage[key] = self._usage.get(key, 0) + count

    async def close(self) -> None:
        """Closes what is open. The answer may be continued."""
        for call_id in list(self._calls):
            await self._close_call(call_id, is_last=len(self._calls) == 1 and self._message is None)
        await self._close_message(is_last=True)

    async def _open(self, kind: str, role: str) -> Message:
        if self._message is None or self._kind != (kind, role):
            await self._close_message()
            self._message, self._kind = self._run.message(kind, role), (kind, role)
            if self.metadata is not None:
                self._message.set_metadata(self.metadata)
        return self._message

    async def _close_message(self, is_last: bool = False) -> None:
        if self._message is not None:
            message, self._message = self._message, None
            await self._close_part(message, is_last)

    async def _close_call(self, call_id: str, is_last: bool = False) -> None:
        call = self._calls.pop(call_id, None)
        if call is not None:
            if call_id not in self._with_arguments:
                await call.text("{}")
            await self._close_part(call, is_last)

    async def _close_part(self, part: Message | ToolCall, is_last: bool) -> None:
        if is_last and self._usage:
            part.set_usage(self._usage)
            self._usage = {}
        await part._close()
