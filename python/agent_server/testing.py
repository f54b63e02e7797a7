"""Runs agents without a server, for tests.

::

    from agent_server.testing import ask

    def test_echo():
        assert ask(echo, "Good morning").text == "Good morning "
"""

from __future__ import annotations

import asyncio
import functools
import json
from dataclasses import dataclass, field
from typing import Any, Callable, Coroutine, Mapping, ParamSpec, Sequence

from . import _wire
from ._agents import Agent
from ._errors import Suspended, ToolError
from ._run import Run, text_of
from ._worker import work

__all__ = ["Answer", "Said", "ask", "ask_async"]

Given = ParamSpec("Given")


@dataclass
class Said:
    """A message that an agent has written."""

    kind: str
    text: str = ""
    """The text, or the arguments of a call."""
    data: dict[str, Any] = field(default_factory=dict)
    contents: list[dict[str, Any]] = field(default_factory=list)
    name: str | None = None
    """The name of the tool."""
    call_id: str | None = None
    """The id of the call, which its output has, too."""
    output: str | None = None
    """The output of a tool."""
    usage: dict[str, Any] | None = None
    is_closed: bool = False


@dataclass
class Answer:
    """What an agent has written in one run."""

    messages: list[Said] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    state: Any = None
    """The state that the agent has left."""
    memories: list[str] = field(default_factory=list)
    steps: dict[str, Any] = field(default_factory=dict)
    """The results of the steps, those given to the test included."""
    asked: str | None = None
    """The key of the question that has ended the run."""

    @property
    def text(self) -> str:
        """The text of all its messages, without reasoning and tools."""
        return "".join(message.text for message in self.messages if message.kind == "message")


async def ask_async(
    handler: Callable[..., Any],
    text: str = "",
    *,
    history: Sequence[dict[str, Any]] = (),
    state: Any = None,
    memories: Sequence[str] = (),
    children: Callable[[str, str], str] | None = None,
    steps: Mapping[str, Any] | None = None,
    answers: Mapping[str, str] | None = None,
    tools: Mapping[str, Callable[..., Any]] | None = None,
) -> Answer:
    """Runs an agent's function with this text of a user, and returns what it writes.

    ``children`` answers for other agents: it gets the agent's name and the text. ``steps`` are the results of steps
    that were taken before, and ``answers`` what the user answers to questions, both by their keys. A question without
    an answer ends the run. ``tools`` are functions in the place of the tools of MCP servers, by name; they get the
    arguments by name, and raise ``ToolError`` if they have no answer. An exception of the agent is raised here.
    """
    answer = Answer(state=state, memories=list(memories), steps=dict(steps or {}))
    server = _Server(answer, list(history), children, answers or {}, tools or {})
    message = {"role": "user", "content": [{"type": "text", "text": text}]}
    start = {"id": "run_test", "agent": "test", "user_id": "user", "session_id": "session", "request": {"input": [message]}}
    run = server.run = Run(1, start, server.receive, 1 << 60)
    try:
        await work(Agent("test", handler, "give_up"), run)
    except Suspended:
        pass
    return server.answer


def _outside_of_a_loop(function: Callable[Given, Coroutine[Any, Any, Answer]]) -> Callable[Given, Answer]:
    @functools.wraps(function)
    def run(*arguments: Given.args, **options: Given.kwargs) -> Answer:
        return asyncio.run(function(*arguments, **options))

    return run


ask = _outside_of_a_loop(ask_async)
"""The same, outside of an event loop."""


class _Server:
    """Takes the frames of a run."""

    run: Run

    def __init__(
        self,
        answer: Answer,
        history: list[dict[str, Any]],
        children: Callable[[str, str], str] | None,
        answers: Mapping[str, str],
        tools: Mapping[str, Callable[..., Any]],
    ) -> None:
        self.answer, self._history, self._children, self._answers = answer, history, children, answers
        self._tools = tools
        self._decoder = _wire.Decoder()
        self._open: dict[int, Said] = {}

    def receive(self, data: bytes) -> None:
        for frame in self._decoder.feed(data):
            self._apply(frame)

    def _apply(self, frame: _wire.Frame) -> None:
        if frame.kind == _wire.OPEN:
            said = self._open[frame.part] = _opened(frame.json())
            self.answer.messages.append(said)
        elif frame.kind == _wire.TEXT:
            self._open[frame.part].text += frame.payload.decode()
        elif frame.kind == _wire.DATA:
            self._open[frame.part].data.update(frame.json())
        elif frame.kind == _wire.PUT:
            self._open[frame.part].contents.append(frame.json())
        elif frame.kind == _wire.CLOSE:
            said, closing = self._open.pop(frame.part), frame.json()
            said.usage, said.output, said.is_closed = closing.get("usage"), closing.get("output"), True
        elif frame.kind == _wire.EVENT:
            self.answer.events.append(frame.json())
        elif frame.kind == _wire.CALL:
            call = frame.json()
            reply = {"call": call["call"]}
            if call["method"] == "ask" and call["arguments"]["key"] not in self._answers:
                reply["error"] = {"kind": "waiting", "message": "there is no answer"}
                self.answer.asked = call["arguments"]["key"]
                self.answer.messages.append(Said("message", call["arguments"]["text"], is_closed=True))
            else:
                try:
                    reply["result"] = self._result(call["method"], call["arguments"])
                except ToolError as error:
                    reply["error"] = {"kind": "tool", "message": str(error)}
            self.run._reply(reply)

    def _result(self, method: str, arguments: dict[str, Any]) -> Any:
        answer = self.answer
        if method == "history":
            return self._history[-arguments["limit"] :]
        if method == "load_state":
            return answer.state
        if method == "save_state":
            # As the server does, so that a state that is no JSON is noticed.
            answer.state = json.loads(json.dumps(arguments["state"]))
            return None
        if method == "remember":
            answer.memories += [text_of(message) for message in arguments["messages"]]
            return None
        if method == "recall":
            words = arguments["text"].lower().split()
            found = [memory for memory in answer.memories if any(word in memory.lower() for word in words)]
            return [_text_message("user", memory) for memory in found[: arguments["limit"]]]
        if method == "begin_step":
            steps, key = answer.steps, arguments["key"]
            return {"result": steps[key]} if key in steps else None
        if method == "end_step":
            answer.steps[arguments["key"]] = json.loads(json.dumps(arguments["result"]))
            return None
        if method == "ask":
            text = self._answers[arguments["key"]]
            return {"approved": text.strip().lower() in ("yes", "ok"), "text": text}
        if method == "tools":
            return [_described(name, tool) for name, tool in self._tools.items()]
        if method == "call_tool":
            if arguments["name"] not in self._tools:
                raise ToolError(f"there is no tool '{arguments['name']}'")
            return json.loads(json.dumps(self._tools[arguments["name"]](**arguments["arguments"])))
        if method == "child":
            if self._children is None:
                raise AssertionError(f"the agent asked the agent {arguments['agent']!r}: give `children` to the test")
            said = self._children(arguments["agent"], text_of(arguments["input"][-1]))
            return {"status": "completed", "output": [_text_message("assistant", said)]}
        return []


def _described(name: str, tool: Callable[..., Any]) -> dict[str, Any]:
    description = (tool.__doc__ or "").strip()
    tail = {"parameters": {"type": "object"}, "server": None, "needs_approval": False}
    return {"name": name, "description": description, **tail}


def _text_message(role: str, text: str) -> dict[str, Any]:
    return {"role": role, "content": [{"type": "text", "text": text}]}


def _opened(what: dict[str, Any]) -> Said:
    if "call" in what:
        kind = "function_call" if what["call"]["is_clients"] else "plugin_call"
        return Said(kind, name=what["call"]["name"], call_id=what["call"]["id"])
    if "output" in what:
        return Said("plugin_call_output", name=what["output"]["name"], call_id=what["output"]["id"])
    return Said(what["kind"])
