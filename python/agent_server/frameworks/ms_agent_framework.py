"""Microsoft Agent Framework: what an agent streams, as messages of a run."""

from __future__ import annotations

import functools
import json
import mimetypes
from importlib import import_module
from typing import Any, AsyncIterator, Callable, Mapping, Sequence

from .._errors import AgentError
from .._run import Run
from ._answer import Answer, to_text
from ._conversation import Call, Calls, Output, audio_url, conversation, entries, text_of_content


async def write(run: Run, items: AsyncIterator[Any]) -> None:
    """Writes the updates of an agent."""
    stream = _Stream(run)
    async for item in items:
        await stream.take(item)
    await stream.close()


def read(messages: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Our messages as messages of the framework."""
    framework = import_module("agent_framework")
    # Its name before version 1.0.
    kind = getattr(framework, "ChatMessage", None) or framework.Message
    result: list[Any] = []
    for entry in entries(messages):
        if isinstance(entry, Calls):
            role, contents = "assistant", [_call_content(call) for call in entry.calls]
        elif isinstance(entry, Output):
            role = "tool"
            contents = [{"type": "function_result", "call_id": entry.call_id, "result": _parsed(entry.text)}]
        elif entry.kind == "reasoning":
            role, contents = "assistant", [{"type": "text_reasoning", "text": entry.text}]
        else:
            role = entry.role if entry.role in ("user", "system", "tool") else "assistant"
            contents = [found for content in entry.contents if (found := _content_of(content))]
        result.append(kind.from_dict({"role": role, "contents": contents}))
    return result


def handler(candidate: object) -> Callable[[Run], Any] | None:
    """The function that answers a run with an agent; nothing if this is none."""
    is_agent = any(
        kind.__name__ == "BaseAgent" and kind.__module__.startswith("agent_framework.")
        for kind in type(candidate).__mro__
    )
    if not is_agent:
        return None

    async def handle(run: Run) -> None:
        state: dict[str, Any] | None = None
        number = 0
        # A step, so that the run that has the user's approvals does not begin anew.
        while state := await run.step(f"turn {number}", functools.partial(_execute, run, candidate, state)):
            state["messages"].append(await _approvals(run, state["requests"]))
            number += 1

    return handle


async def _execute(run: Run, agent: Any, state: dict[str, Any] | None) -> Any:
    """Executes the agent; if it waits for approvals, returns the state from which it can go on."""
    framework = import_module("agent_framework")
    kind = getattr(framework, "ChatMessage", None) or framework.Message
    if state is None:
        known = _with_texts(read(await conversation(run)))
    else:
        known = [kind.from_dict(item) for item in state["messages"]]
    stream, session = _Stream(run), None
    if hasattr(agent, "run_stream"):
        updates = agent.run_stream(known)
    else:
        # Since version 1.0, approvals count only in the session that has the requests; it keeps the messages, too.
        session = framework.AgentSession.from_dict(state["session"]) if state else agent.create_session()
        updates = agent.run(known, stream=True, session=session)
    async for update in updates:
        await stream.take(update)
    await stream.close()
    if not stream.requests:
        return None
    requests = [request.to_dict() for request in stream.requests]
    if session is not None:
        return {"messages": [], "requests": requests, "session": session.to_dict()}
    asking = {"role": "assistant", "contents": requests}
    return {"messages": [*(message.to_dict() for message in known), asking], "requests": requests}


def _with_texts(messages: list[Any]) -> list[Any]:
    """The messages with arguments and results as texts, because clients of models send them as they are."""
    for content in (content for message in messages for content in message.contents):
        if content.type == "function_call":
            content.arguments = to_text(content.arguments)
        elif content.type == "function_result":
            content.result = to_text(content.result)
    return messages


async def _approvals(run: Run, requests: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The message with the user's answers."""
    answers = []
    for request in requests:
        function = request["function_call"]
        arguments = function.get("arguments") or "{}"
        call = Call(function["call_id"], function["name"], to_text(arguments))
        question = f"May I call {call.name} with {call.arguments}?"
        approval = await run.approve(request["id"], question, tool=call.name, arguments=call.parsed())
        answers.append({**request, "type": "function_approval_response", "approved": bool(approval)})
    return {"role": "user", "contents": answers}


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _call_content(call: Call) -> dict[str, Any]:
    return {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.parsed()}


def _content_of(content: Mapping[str, Any]) -> dict[str, Any] | None:
    kind = content.get("type")
    url = content.get("image_url") or content.get("video_url") or content.get("file_url")
    if kind == "audio" and content.get("data"):
        url = audio_url(content)
    if url and url.startswith("data:"):
        return {"type": "data", "uri": url, "media_type": url[5:].partition(";")[0]}
    if url:
        guessed = mimetypes.guess_type(url.partition("?")[0])[0]
        default = {"image": "image/*", "video": "video/*"}.get(str(kind), "application/octet-stream")
        return {"type": "uri", "uri": url, "media_type": guessed or default}
    text = text_of_content(content)
    return {"type": "text", "text": text} if text else None


class _Stream:
    """The messages of a stream: the answers of one model after the other."""

    def __init__(self, run: Run) -> None:
        self.requests: list[Any] = []
        self._answer = Answer(run)
        self._message_id: str | None = None
        self._call = ("", "")
        self._streamed: set[str] = set()
        """Of what pieces have come, but not the end."""

    async def take(self, update: Any) -> None:
        """Writes an update."""
        contents = getattr(update, "contents", None)
        if contents is None:
            raise TypeError(f"the stream of an agent has updates, not {type(update).__name__}")
        if update.message_id != self._message_id:
            await self.close()
            self._message_id = update.message_id
        for content in contents:
            await self._content(content)

    async def close(self) -> None:
        """Closes what is open."""
        await self._answer.close()

    async def _content(self, content: Any) -> None:
        kind = content.type
        if kind in ("text", "text_reasoning"):
            if not self._is_repeated(content, kind, content.text):
                await self._answer.text(content.text or "", "message" if kind == "text" else "reasoning")
        elif kind == "function_call":
            await self._function(content)
        elif kind == "function_result":
            failed = getattr(content, "exception", None)
            output = content.result if content.result is not None or not failed else f"Error: {failed}"
            await self._answer.output(content.call_id, to_text(output))
        elif kind in ("uri", "data"):
            await self._answer.put(_media(content))
        elif kind == "usage":
            await self._usage(content)
        elif kind == "error":
            raise AgentError(content.message or "The model has failed", content.error_code or "AGENT_ERROR")
        elif kind == "function_approval_request":
            self.requests.append(content)
        elif kind != "function_approval_response":
            await self._answer.put({"type": "data", "data": json.loads(json.dumps(content.to_dict(), default=str))})

    def _is_repeated(self, content: Any, key: str, piece: Any) -> bool:
        """Whether this is a whole whose pieces have come: clients of the Responses API send it at the end."""
        mode = getattr(content, "merge_mode", None)
        if mode == "append" and piece:
            self._streamed.add(key)
        elif mode == "replace" and key in self._streamed:
            self._streamed.discard(key)
            return True
        return False

    async def _function(self, content: Any) -> None:
        """The first piece of a call has its id and name, the others have more of its arguments."""
        if content.call_id:
            self._call = (content.call_id, content.name or self._call[1])
        arguments = content.arguments or ""
        if self._is_repeated(content, f"call {self._call[0]}", arguments):
            return
        if isinstance(arguments, Mapping):
            arguments = json.dumps(arguments, ensure_ascii=False)
        # An answer without arguments gets an empty object in the end; another object may follow this one.
        await self._answer.call(*self._call, "" if arguments == "{}" else arguments)

    async def _usage(self, content: Any) -> None:
        details = getattr(content, "usage_details", None) or content.details
        counts = details if isinstance(details, Mapping) else vars(details)
        kinds = ("input", "output", "total")
        self._answer.usage.add(**{f"{kind}_tokens": counts.get(f"{kind}_token_count") for kind in kinds})


def _media(content: Any) -> dict[str, Any]:
    media_type, uri = str(getattr(content, "media_type", None) or ""), content.uri
    media_type = media_type or uri[5:].partition(";")[0] if uri.startswith("data:") else media_type
    if media_type.startswith("image/"):
        return {"type": "image", "image_url": uri}
    if media_type.startswith("video/"):
        return {"type": "video", "video_url": uri}
    if media_type.startswith("audio/") and uri.startswith("data:"):
        return {"type": "audio", "data": uri.partition(",")[2], "format": media_type[6:]}
    return {"type": "file", "file_url": uri}
