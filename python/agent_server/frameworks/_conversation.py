"""Reads the messages of a request or of a session, for any framework."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Container, Iterator, Mapping, Sequence, Union

from .._run import Run

Message = Mapping[str, Any]

CALLS = ("plugin_call", "function_call", "mcp_call", "component_call")
OUTPUTS = tuple(f"{kind}_output" for kind in CALLS)


@dataclass(frozen=True)
class Call:
    """A call of a tool."""

    id: str
    name: str
    arguments: str
    message: Message = field(default_factory=dict)

    def parsed(self) -> dict[str, Any]:
        """The arguments as an object. A text that is no object is an argument itself, so that it is not lost."""
        try:
            arguments = json.loads(self.arguments or "{}")
        except ValueError:
            arguments = self.arguments
        return arguments if isinstance(arguments, dict) else {"arguments": arguments}


@dataclass(frozen=True)
class Calls:
    """Calls that a model has made at once."""

    calls: tuple[Call, ...]


@dataclass(frozen=True)
class Output:
    """The output of a call."""

    call_id: str
    name: str
    text: str
    is_error: bool = False
    message: Message = field(default_factory=lambda: {"role": "system"})


@dataclass(frozen=True)
class Said:
    """A message or reasoning."""

    kind: str
    role: str
    contents: Sequence[Mapping[str, Any]]
    message: Message

    @property
    def text(self) -> str:
        """All that can be said in words: texts, refusals, and data as JSON."""
        return "".join(text_of_content(content) for content in self.contents)


Entry = Union[Said, Calls, Output]


def text_of_content(content: Mapping[str, Any]) -> str:
    """The text of a content; empty if it has none, such as an image."""
    kind = content.get("type") or "text"
    if kind == "data":
        return json.dumps(content.get("data"), ensure_ascii=False)
    return str(content.get(kind) or "") if kind in ("text", "refusal") else ""


def audio_url(content: Mapping[str, Any]) -> str:
    """The address of a sound, or its data as a URL. Clients send either as its data."""
    data = str(content.get("data") or "")
    is_url = "://" in data or data.startswith("data:")
    return data if is_url else f"data:audio/{content.get('format') or 'wav'};base64,{data}"


async def conversation(run: Run) -> list[Message]:
    """The history of the session and the input of the run.

    The window of the history may begin between a call and its output; that output is left out.
    """
    messages: list[Message] = [*await run.history(), *run.input]
    called: set[str] = set()
    whole = []
    for message in messages:
        if message.get("type") in CALLS:
            called.update(call.id for call in _calls_in(message))
        if message.get("type") not in OUTPUTS or any(output.call_id in called for output in _outputs_in(message)):
            whole.append(message)
    return whole


def entries(messages: Sequence[Message]) -> Iterator[Entry]:
    """The conversation in the order that models demand: calls that were made at once, then all their outputs.

    A call without an output gets an error that says why.
    """
    taken: set[int] = set()
    position = 0
    while position < len(messages):
        message, kind = messages[position], messages[position].get("type") or "message"
        position += 1
        if kind in CALLS:
            calls = [*_calls_in(message)]
            while position < len(messages) and messages[position].get("type") in CALLS:
                calls += _calls_in(messages[position])
                position += 1
            yield Calls(tuple(calls))
            for call in calls:
                yield _take_output(call, messages, position, taken)
        elif kind in OUTPUTS and position - 1 not in taken:
            yield from _outputs_in(message)
        elif kind in ("message", "reasoning"):
            yield Said(kind, message.get("role") or "assistant", message.get("content") or (), message)


def _take_output(call: Call, messages: Sequence[Message], start: int, taken: set[int]) -> Output:
    """The next output of the call. Models may use the id of a call again in a later turn."""
    for position in range(start, len(messages)):
        if position not in taken and messages[position].get("type") in OUTPUTS:
            for output in _outputs_in(messages[position]):
                if output.call_id == call.id:
                    taken.add(position)
                    return output
    return Output(call.id, call.name, no_output(cause_of_end(messages[start:])), is_error=True)


def cause_of_end(later: Sequence[Message]) -> str:
    """Why a run has ended early, from the messages after its call: the server notes it in the history."""
    for message in later:
        if message.get("type") == "error":
            reason = message.get("message") or message.get("code") or message.get("status") or "it failed"
            return f"its run has ended early: {reason}"
    return "its run has ended before"


def cause_of_end_after(history: Sequence[Message], call_ids: Container[str]) -> str:
    """Why the run that made these calls has ended early; if the history no longer has them, why the last run has."""
    for position in range(len(history) - 1, -1, -1):
        if any(call_id in call_ids for call_id, _ in _data_in(history[position])):
            return cause_of_end(history[position:])
    return cause_of_end(history[-1:])


def no_output(cause: str) -> str:
    """The output of a call that has none."""
    return json.dumps({"error": f"The call has no output, because {cause}."}, ensure_ascii=False)


def _calls_in(message: Message) -> Iterator[Call]:
    for call_id, data in _data_in(message):
        yield Call(call_id, _last(data, "name"), _last(data, "arguments"), message)


def _outputs_in(message: Message) -> Iterator[Output]:
    is_error = message.get("status") in ("failed", "canceled", "incomplete")
    for call_id, data in _data_in(message):
        yield Output(call_id, _last(data, "name"), _last(data, "output"), is_error, message)


def _data_in(message: Message) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    """The data of each call. A call that was streamed may have several, of which the last is whole."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for content in message.get("content") or ():
        data = content.get("data")
        if isinstance(data, Mapping):
            # A call without an id cannot have an output, but it is no reason to refuse the conversation.
            call_id = data.get("call_id") or next(reversed(found), None) or message.get("id") or "call"
            found.setdefault(call_id, []).append(data)
    yield from found.items()


def _last(data: Sequence[Mapping[str, Any]], key: str) -> str:
    """The last value that is not blank, as a text."""
    for each in reversed(data):
        value = each.get(key)
        text = value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
        if text.strip():
            return text
    return ""
