"""An agent's view of its run."""

from __future__ import annotations

import functools
import inspect
import itertools
import json
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Awaitable, Callable, Literal, Mapping, TypeVar, overload

from . import _wire
from ._errors import AgentError, StepFailed
from ._link import Link, Send
from ._thread import RunThread

Part = TypeVar("Part", bound="_Part")
Result = TypeVar("Result")
Effect = Literal["pure", "idempotent", "once"]


@dataclass(frozen=True)
class Approval:
    """The user's answer to a request for approval. It is true if the user has approved."""

    approved: bool
    text: str
    """The user's words, or the reason."""

    def __bool__(self) -> bool:
        return self.approved


@dataclass(frozen=True)
class Tool:
    """A tool that the agent may call."""

    name: str
    description: str
    parameters: dict[str, Any]
    """The JSON Schema of the arguments."""
    server: str | None
    """The name of the MCP server that has it."""
    needs_approval: bool
    """Whether the user is asked before each call."""


def text_of(message: Mapping[str, Any]) -> str:
    """The text of a message."""
    contents = message.get("content") or []
    return "".join(content.get("text") or "" for content in contents if content.get("type") == "text")


def _user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "text", "text": text}]}


class Run(Link):
    """One run: the request, and where the answer is written.

    Its methods may be called from several tasks of the event loop, not from other threads.
    """

    def __init__(self, number: int, start: Mapping[str, Any], send: Send, credit: int) -> None:
        super().__init__(number, send, credit)
        self._parts = itertools.count(1)
        self._tool_calls: dict[str, int] = {}
        self.id: str = start["id"]
        """The run's id."""
        self.agent_name: str = start["agent"]
        """The name of the agent."""
        self.user_id: str = start["user_id"]
        """The user."""
        self.session_id: str = start["session_id"]
        """The conversation."""
        self.request: dict[str, Any] = start["request"]
        """The whole request, as JSON."""
        self._http: dict[str, Any] = start.get("http") or {}
        self.attempt: int = start.get("attempt", 1)
        """How often the run was started, this time included."""
        self.earlier: list[dict[str, Any]] = start.get("earlier") or []
        """The messages that were complete when an earlier attempt ended."""

    @property
    def input(self) -> list[dict[str, Any]]:
        """The messages of the request."""
        messages: list[dict[str, Any]] = self.request.get("input") or []
        return messages

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the HTTP request, with names in lower case; repeated ones are joined by commas.

        They are not stored: a run that has waited for its turn or was started again has none.
        """
        headers: dict[str, str] = {}
        for name, value in self._http.get("headers", ()):
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return headers

    @property
    def query(self) -> str:
        """The query of the URL, as the client has encoded it. It is not stored either."""
        query: str = self._http.get("query", "")
        return query

    @property
    def text(self) -> str:
        """The text of the last message of the user."""
        for message in reversed(self.input):
            if message.get("role") == "user":
                return text_of(message)
        return ""

    def message(self, kind: str = "message", role: str = "assistant") -> Message:
        """Opens a message; use it with ``async with``. A message that an exception leaves is closed as failed."""
        return Message(self, _opening(kind, role))

    def reasoning(self) -> Message:
        """Opens a message with the model's reasoning."""
        return self.message("reasoning")

    def tool_call(self, name: str, call_id: str, *, by_client: bool = False) -> ToolCall:
        """Opens a call of a tool; the text that is written to it is its arguments, as JSON.

        A call of a tool that the client executes ends the turn. The client's next request has the output.
        """
        return ToolCall(self, _wire.json_bytes({"call": {"id": call_id, "name": name, "is_clients": by_client}}))

    async def tool_output(self, name: str, call_id: str, output: object) -> None:
        """Writes the output of one of the agent's own tools."""
        text = output if isinstance(output, str) else json.dumps(output, ensure_ascii=False)
        part = self._open(_wire.json_bytes({"output": {"id": call_id, "name": name}}))
        self._send(_wire.CLOSE, part, {"output": text})
        await self._ready()

    async def say(self, text: str) -> None:
        """Writes a complete message."""
        async with self.message() as message:
            await message.text(text)

    async def emit(self, event: Mapping[str, Any]) -> None:
        """Writes an event of the agent's own kind: an object whose member ``object`` is the kind."""
        self._send(_wire.EVENT, 0, event)
        await self._ready()

    async def history(self, limit: int = 100) -> list[dict[str, Any]]:
        """The last messages of the conversation before this run, in order."""
        messages: list[dict[str, Any]] = await self._ask("history", {"limit": limit})
        return messages

    async def load_state(self) -> Any:
        """The agents' state in this session; ``None`` if there is none."""
        return await self._ask("load_state", {})

    async def save_state(self, state: Any) -> None:
        """Saves the agents' state in this session, as JSON."""
        await self._ask("save_state", {"state": state})

    async def steered(self) -> list[dict[str, Any]]:
        """The messages that the user has sent since the last call, while this run is in progress."""
        messages: list[dict[str, Any]] = await self._ask("steered", {})
        return messages

    @overload
    async def step(
        self, key: str, work: Callable[[], Awaitable[Result]], *, effect: Effect = "idempotent"
    ) -> Result: ...
    @overload
    async def step(self, key: str, work: Callable[[], Result], *, effect: Effect = "idempotent") -> Result: ...
    async def step(self, key: str, work: Callable[[], Any], *, effect: Effect = "idempotent") -> Any:
        """Does something that must not be done again when the run is started again, and returns its result.

        If it was done before, by an earlier attempt or by a run whose question this one answers, that result is
        returned instead. The result is JSON: a tuple becomes a list. A plain function runs in a thread.

        ``effect`` says what happens to a step that was cut off. One that is ``pure`` or ``idempotent`` is taken again;
        for ``once``, this raises ``StepCutOff``. An exception of the work is raised here; that of a step that may only
        be taken once is kept as its result, and raised as ``StepFailed``, or as the ``AgentError`` that it is.
        """
        known = await self._ask("begin_step", {"key": key, "effect": effect})
        if known is not None:
            return known["result"]
        try:
            result = await _call(work)
        except Exception as error:
            await self._ask("fail_step", {"key": key, "effect": effect, "error": _failure(error)})
            if effect == "once" and not isinstance(error, AgentError):
                raise StepFailed(f"{type(error).__name__}: {error}") from error
            raise
        await self._ask("end_step", {"key": key, "result": result})
        # What a later attempt would get.
        return json.loads(_wire.json_bytes(result))

    async def ask(self, key: str, question: str) -> str:
        """Asks the user something, and returns the answer.

        The first time, the question ends the run. The user's next message starts another run of the agent, in which
        the same call returns the answer. Steps that were taken before the question are not taken again.
        """
        answer = await self._ask("ask", {"key": key, "text": question})
        text: str = answer["text"]
        return text

    async def approve(
        self, key: str, question: str, *, tool: str | None = None, arguments: Mapping[str, Any] | None = None
    ) -> Approval:
        """Asks the user for approval, like ``ask``. The answer is true if the user has approved.

        Clients that know requests for approval show one, to call this tool with these arguments; it is answered with an
        approval response. Otherwise, a message such as "yes" approves.
        """
        call = {"key": key, "text": question, "tool": tool or key, "arguments": dict(arguments or {})}
        answer = await self._ask("ask", call)
        return Approval(answer["approved"], answer["text"])

    async def remember(self, *texts: str) -> None:
        """Keeps texts as memories of the user, which later conversations find."""
        await self._ask("remember", {"messages": [_user(text) for text in texts]})

    async def recall(self, text: str, limit: int = 10) -> list[str]:
        """The user's memories that match a text best, best first."""
        messages: list[dict[str, Any]] = await self._ask("recall", {"text": text, "limit": limit})
        return [text_of(message) for message in messages]

    async def tools(self) -> list[Tool]:
        """The tools of the MCP servers in the server's configuration, as they are now."""
        members = ("name", "description", "parameters", "server", "needs_approval")
        return [Tool(*(tool[member] for member in members)) for tool in await self._ask("tools", {})]

    async def call_tool(self, name: str, arguments: Mapping[str, Any] | None = None, *, key: str | None = None) -> Any:
        """Calls one of these tools, and returns its answer: a text, or what it has as JSON.

        A tool that needs approval asks the user first, like ``approve``, and is called at most once in a turn. ``key``
        distinguishes its calls; without one, they are numbered. ``ToolError`` says why there is no answer.
        """
        number = self._tool_calls[name] = self._tool_calls.get(name, 0) + 1
        call = {"name": name, "arguments": dict(arguments or {}), "key": key or f"tool call {name} {number}"}
        return await self._ask("call_tool", call)

    async def child(self, agent: str, text: str) -> dict[str, Any]:
        """Asks another agent of this server, and returns its response. It is cancelled with this run."""
        response: dict[str, Any] = await self._ask("child", {"agent": agent, "input": [_user(text)]})
        return response

    # What follows is for this package.

    def _open(self, payload: bytes) -> int:
        part = next(self._parts) % 65536
        self._send_bytes(_wire.OPEN, part, payload)
        return part


async def _call(work: Callable[[], Any]) -> Any:
    if inspect.iscoroutinefunction(work):
        return await work()
    with RunThread() as thread:
        result = await thread.call(work)
    return await result if inspect.isawaitable(result) else result


def _failure(error: Exception) -> dict[str, Any]:
    if isinstance(error, AgentError):
        return {"message": str(error), "code": error.code, "status": error.status}
    return {"message": str(error), "class": type(error).__name__}


@functools.lru_cache(maxsize=64)
def _opening(kind: str, role: str) -> bytes:
    """The payload that opens a message. There are few kinds of messages, and many messages."""
    return _wire.json_bytes({"kind": kind, "role": role})


class _Part:
    """A message that is open."""

    def __init__(self, run: Run, opening: bytes) -> None:
        self._run, self._part = run, run._open(opening)
        self._closing: dict[str, Any] = {}
        self._head = _wire.head_of(_wire.TEXT, self._part, run._number)

    async def text(self, text: str) -> None:
        """Appends text; each call is one event."""
        if self._put_text(text) <= 0:
            await self._run._ready()

    def _put_text(self, text: str) -> int:
        """Appends text, and returns the remaining credit. Most of an agent's output takes this way."""
        run, payload = self._run, text.encode("utf-8", "replace")
        size = len(payload)
        if size > _wire.MAX_PAYLOAD:
            run._send_bytes(_wire.TEXT, self._part, payload)
        else:
            run._credit -= size
            run._send_frame(size.to_bytes(4, "little") + self._head + payload)
        return run._credit

    def set_usage(self, usage: Mapping[str, Any]) -> None:
        """Sets the usage of the model call behind the message."""
        self._closing["usage"] = usage

    def set_metadata(self, metadata: Mapping[str, Any]) -> None:
        """Adds metadata to the message."""
        self._closing["metadata"] = metadata

    async def __aenter__(self: Part) -> Part:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, _value: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        # The server closes what is still open when the run fails or is cancelled.
        if kind is None:
            await self._close()

    async def _close(self) -> None:
        self._run._send_bytes(_wire.CLOSE, self._part, _wire.json_bytes(self._closing) if self._closing else b"")
        await self._run._ready()


class Message(_Part):
    """Writes one message."""

    async def data(self, data: Mapping[str, Any]) -> None:
        """Merges an object into the message's structured data."""
        self._run._send(_wire.DATA, self._part, data)
        await self._run._ready()

    async def put(self, content: Mapping[str, Any]) -> None:
        """Writes a whole content, such as ``{"type": "image", "image_url": "…"}``."""
        self._run._send(_wire.PUT, self._part, content)
        await self._run._ready()


class ToolCall(_Part):
    """Writes the arguments of a call."""
