"""Writes what an agent streams, as messages of a run."""

from __future__ import annotations

import json
from typing import Any, Mapping

from .._run import Message, Run, ToolCall


def to_json(value: object) -> str:
    """JSON, as agentscope-runtime writes arguments and outputs; what JSON does not know becomes a text."""
    return json.dumps(value, ensure_ascii=False, default=str)


def to_text(value: object) -> str:
    """A text as it is, anything else as JSON."""
    return value if isinstance(value, str) else to_json(value)


def plain(value: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping with nothing that JSON does not know."""
    copy: dict[str, Any] = json.loads(to_json(value))
    return copy


class Usage:
    """The tokens of model calls that no message has reported yet."""

    def __init__(self) -> None:
        self._waiting: dict[str, int] = {}

    def add(self, **counts: object) -> None:
        """Adds the counts of a model call. Frameworks report ``None`` for what they do not know, and other things."""
        known = {name: count for name, count in counts.items() if isinstance(count, int)}
        if "input_tokens" in known and "output_tokens" in known:
            known["total_tokens"] = known.get("total_tokens") or known["input_tokens"] + known["output_tokens"]
        for name, count in known.items():
            self._waiting[name] = self._waiting.get(name, 0) + count

    def report(self, part: Message | ToolCall) -> None:
        """Sets the usage of a message that is about to be closed."""
        if self._waiting:
            part.set_usage(self._waiting)
            self._waiting = {}


class Answer:
    """One answer of a model: text and reasoning, one after the other, and calls, which may be open at once."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._message: Message | None = None
        self._kind = ("", "")
        self._calls: dict[str, ToolCall] = {}
        self._with_arguments: set[str] = set()
        self._names: dict[str, str] = {}
        self.has_text = False
        """Whether the agent has said anything but its thoughts."""
        self.metadata: Mapping[str, Any] | None = None
        """What the next messages get as metadata."""
        self.usage = Usage()
        """The last message or call to be closed shows it."""

    async def text(self, text: str, kind: str = "message", role: str = "assistant") -> None:
        """Appends to the message of this kind and role; opens it first if another one is open."""
        if not text:
            return
        message = self._message
        if message is None or self._kind != (kind, role):
            message = await self._open(kind, role)
            self.has_text = self.has_text or kind == "message"
        # Most of an agent's output comes here, so there are few calls on the way.
        if message._put_text(text) <= 0:
            await self._run._ready()

    async def put(self, content: Mapping[str, Any], role: str = "assistant") -> None:
        """Adds a whole content, such as an image, to the message."""
        await (await self._open("message", role)).put(content)

    async def call(self, call_id: str, name: str, arguments: str = "", *, by_client: bool = False) -> None:
        """Appends to the arguments of a call; opens it first if it is new."""
        call = self._calls.get(call_id)
        if call is None:
            await self.end_message()
            call = self._calls[call_id] = self._run.tool_call(name, call_id, by_client=by_client)
            self._names[call_id] = name
        if arguments:
            self._with_arguments.add(call_id)
            await call.text(arguments)

    def has_call(self, call_id: str) -> bool:
        """Whether the call was made in this answer."""
        return call_id in self._names

    async def end_call(self, call_id: str) -> None:
        """Closes a call, if it is open."""
        await self._close_call(call_id, is_last=False)

    async def output(self, call_id: str, output: str, name: str | None = None) -> None:
        """Writes the output of a call, which is complete with that. Its name is by default that of the call."""
        await self.end_call(call_id)
        await self.end_message()
        await self._run.tool_output(name or self._names.get(call_id, ""), call_id, output)

    async def end_message(self) -> None:
        """Closes the message that is open, so that the next text begins another one."""
        await self._close_message(is_last=False)

    def begin_anew(self) -> None:
        """Lets the next text begin another message. The one that is open is closed only then, so it may get usage."""
        self._kind = ("", "")

    async def close(self) -> None:
        """Closes what is open. The answer may be continued."""
        for call_id in list(self._calls):
            await self._close_call(call_id, is_last=len(self._calls) == 1 and self._message is None)
        await self._close_message(is_last=True)

    async def _open(self, kind: str, role: str) -> Message:
        if self._message is None or self._kind != (kind, role):
            await self.end_message()
            self._message, self._kind = self._run.message(kind, role), (kind, role)
            if self.metadata is not None:
                self._message.set_metadata(self.metadata)
        return self._message

    async def _close_message(self, is_last: bool) -> None:
        if self._message is not None:
            message, self._message = self._message, None
            await self._close_part(message, is_last)

    async def _close_call(self, call_id: str, is_last: bool) -> None:
        call = self._calls.pop(call_id, None)
        if call is not None:
            if call_id not in self._with_arguments:
                await call.text("{}")
            await self._close_part(call, is_last)

    async def _close_part(self, part: Message | ToolCall, is_last: bool) -> None:
        if is_last:
            self.usage.report(part)
        await part._close()
