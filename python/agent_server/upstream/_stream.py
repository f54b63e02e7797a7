"""Answers a request without the server: a run whose frames become events at once."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, AsyncGenerator, AsyncIterator, Callable, Coroutine, Mapping, Optional, Union

from .. import _wire
from .._errors import AgentError
from .._run import Run
from ._answer import answer
from .schemas import (
    AgentRequest,
    AgentResponse,
    Content,
    DataContent,
    Error,
    Event,
    Message,
    SequenceNumberGenerator,
    TextContent,
)
from .schemas.exceptions_of_agents import UnknownAgentException

if TYPE_CHECKING:
    from .runner import Runner


async def stream(
    runner: Runner, request: Union[AgentRequest, Mapping[str, Any]], others: Mapping[str, Any]
) -> AsyncIterator[Event]:
    """The events of the response to a request."""
    given = request if isinstance(request, AgentRequest) else AgentRequest.model_validate(request)
    given.session_id = given.session_id or str(uuid.uuid4())
    given.user_id = given.user_id or given.session_id
    response = AgentResponse(id=given.id, session_id=given.session_id)
    numbers, error = SequenceNumberGenerator(), None
    yield numbers.yield_with_sequence(response.created())
    yield numbers.yield_with_sequence(response.in_progress())
    try:
        async with aclosing(written(lambda run: answer(runner, run, **others), given, response)) as events:
            async for event in events:
                if isinstance(event, Message) and event.status == "completed":
                    response.add_new_message(event)
                    response.usage = event.usage
                yield numbers.yield_with_sequence(event)
    except Exception as raised:
        error = raised
    yield numbers.yield_with_sequence(_ended(response, error))


async def written(
    work: Callable[[Run], Coroutine[Any, Any, None]], request: AgentRequest, response: AgentResponse
) -> AsyncGenerator[Event, None]:
    """The events that a coroutine writes to its run. Raises what the coroutine raises, after these."""
    events = asyncio.Queue[Optional[Event]]()
    task = asyncio.create_task(work(_run_of(request, response, events.put_nowait)))
    task.add_done_callback(lambda _task: events.put_nowait(None))
    try:
        while (event := await events.get()) is not None:
            yield event
        task.result()
    finally:
        task.cancel()


def _run_of(request: AgentRequest, response: AgentResponse, emit: Callable[[Event], None]) -> Run:
    body = request.model_dump(mode="json")
    ids = {"user_id": request.user_id, "session_id": request.session_id}
    frames = _Frames(emit)
    frames.run = Run(1, {"id": response.id, "agent": "agent", "request": body, **ids}, frames.receive, 1 << 60)
    return frames.run


def _ended(response: AgentResponse, error: Optional[Exception]) -> AgentResponse:
    if error is None:
        return response.completed()
    if isinstance(error, AgentError):
        return response.failed(Error(code=error.code, message=str(error)))
    unknown = UnknownAgentException(error)
    return response.failed(Error(code=unknown.code, message=unknown.message))


class _Frames:
    """Takes the frames of a run."""

    run: Run

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit, self._decoder = emit, _wire.Decoder()
        self._open: dict[int, _Part] = {}

    def receive(self, data: bytes) -> None:
        """Turns frames into events."""
        for frame in self._decoder.feed(data):
            self._apply(frame)

    def _apply(self, frame: _wire.Frame) -> None:
        if frame.kind == _wire.OPEN:
            self._open[frame.part] = _Part(frame.json(), self._emit)
        elif frame.kind == _wire.TEXT:
            self._open[frame.part].text(frame.payload.decode())
        elif frame.kind == _wire.DATA:
            self._open[frame.part].append(DataContent(data=frame.json(), delta=True))
        elif frame.kind == _wire.PUT:
            self._open[frame.part].put(frame.json())
        elif frame.kind == _wire.CLOSE:
            self._open.pop(frame.part).close(frame.json())
        elif frame.kind == _wire.EVENT:
            self._emit(event_of(frame.json()))
        elif frame.kind == _wire.CALL:
            error = {"kind": "failed", "message": "the runner was called directly, so it has no stores of the server"}
            self.run._reply({"call": frame.json()["call"], "error": error})


def event_of(event: Mapping[str, Any]) -> Event:
    """The object for an event's JSON."""
    if event.get("object") == "message":
        return Message.model_validate(event)
    if event.get("object") == "response":
        return AgentResponse.model_validate(event)
    if event.get("object") == "content":
        return content_of(event)
    return Event.model_validate(event)


def content_of(content: Mapping[str, Any]) -> Content:
    """The object for a content's JSON."""
    whole = Message.model_validate({"content": [content]}).content
    assert whole is not None
    return whole[0]


class _Part:
    """A message that is open."""

    def __init__(self, what: Mapping[str, Any], emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self._call, self._output = what.get("call"), what.get("output")
        kind, role = what.get("kind"), what.get("role")
        if self._call:
            kind, role = "function_call" if self._call["is_clients"] else "plugin_call", "assistant"
        elif self._output:
            kind, role = "plugin_call_output", "tool"
        self.message = Message.model_validate({"type": kind, "role": role})
        self._current: Optional[Content] = None
        emit(self.message.model_copy(deep=True).in_progress())

    def text(self, text: str) -> None:
        """Text of the message, or of a call's arguments."""
        if not self._call:
            self.append(TextContent(text=text, delta=True))
            return
        data = {"call_id": self._call["id"], "name": self._call["name"], "arguments": text}
        if self._current is not None:
            data = {"arguments": text}
        self.append(DataContent(data=data, delta=True))

    def append(self, delta: Content) -> None:
        """A piece of the content that is open, or the first one of another."""
        if self._current is not None and self._current.type != delta.type:
            self._complete_content()
        if self._current is None:
            self._current = self.message.add_delta_content(delta.model_copy(deep=True))
            delta.index = len(self.message.content or []) - 1
        else:
            delta.index = self._current.index
            self.message.add_delta_content(delta)
        delta.msg_id = self.message.id
        self._emit(delta.in_progress())

    def put(self, content: Mapping[str, Any]) -> None:
        """A whole content."""
        self._complete_content()
        event = self.message.add_content(content_of({**content, "index": None}))
        self._emit(event)  # type: ignore[arg-type]

    def close(self, closing: Mapping[str, Any]) -> None:
        """The end of the message."""
        if self._output:
            output = closing.get("output") or ""
            data = {"call_id": self._output["id"], "name": self._output["name"], "output": output}
            self._current = None
            self.put({"type": "data", "data": data})
        self._complete_content()
        self.message.usage, self.message.metadata = closing.get("usage"), closing.get("metadata")
        self._emit(self.message.completed())

    def _complete_content(self) -> None:
        if self._current is not None and self._current.index is not None:
            index, self._current = self._current.index, None
            event = self.message.content_completed(index)
            self.message.content[index] = event  # type: ignore[index,assignment]
            self._emit(event)  # type: ignore[arg-type]
