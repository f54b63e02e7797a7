"""Pydantic AI: what ``run_stream_events`` streams, as messages of a run."""

from __future__ import annotations

import base64
import functools
import json
from importlib import import_module
from typing import Any, AsyncIterator, Callable, Mapping, Sequence

from .._run import Run
from ._answer import Answer, to_text
from ._conversation import Call, Calls, Output, Said, audio_url, conversation, entries, text_of_content


async def write(run: Run, items: AsyncIterator[Any]) -> None:
    """Writes the events of ``run_stream_events``, or those of the nodes of ``iter``.

    The usage of the whole run is shown by its last message.
    """
    stream = _Stream(run)
    async for item in items:
        await stream.take(item)
    await stream.close()


def read(messages: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Our messages as a message history."""
    pydantic = import_module("pydantic_ai.messages")
    history: list[Any] = []
    for entry in entries(messages):
        part: Any
        if isinstance(entry, Calls):
            parts = [pydantic.ToolCallPart(call.name, call.arguments or "{}", call.id) for call in entry.calls]
            _extend(history, pydantic.ModelResponse, parts)
        elif isinstance(entry, Output):
            _extend(history, pydantic.ModelRequest, [pydantic.ToolReturnPart(entry.name, entry.text, entry.call_id)])
        elif entry.kind == "message" and entry.role == "assistant":
            _extend(history, pydantic.ModelResponse, [pydantic.TextPart(entry.text)])
        # Reasoning is taken back only with the signature of the model that wrote it.
        elif entry.kind == "message":
            part = pydantic.SystemPromptPart(entry.text) if entry.role == "system" else None
            _extend(history, pydantic.ModelRequest, [part or pydantic.UserPromptPart(_prompt_of(entry))])
    return history


def handler(candidate: object) -> Callable[[Run], Any] | None:
    """The function that answers a run with an ``Agent``; nothing if this is none."""
    is_agent = any(
        kind.__name__ == "AbstractAgent" and kind.__module__.startswith("pydantic_ai.")
        for kind in type(candidate).__mro__
    )
    if not is_agent:
        return None

    async def handle(run: Run) -> None:
        given: dict[str, Any] | None = None
        number = 0
        # A step, so that the run that has the user's approvals does not begin anew.
        while state := await run.step(f"turn {number}", functools.partial(_execute, run, candidate, given)):
            given = {"messages": state["messages"], "results": await _results(run, state["waiting"])}
            number += 1

    return handle


async def _execute(run: Run, agent: Any, given: dict[str, Any] | None) -> Any:
    """Executes the agent; returns its messages and what it waits for, if it waits for the user."""
    if given is None:
        options: dict[str, Any] = {"message_history": await _with_system_prompt(agent, read(await conversation(run)))}
    else:
        known = import_module("pydantic_ai.messages").ModelMessagesTypeAdapter.validate_json(
            json.dumps(given["messages"])
        )
        results = import_module("pydantic_ai.tools").DeferredToolResults(**given["results"])
        options = {"message_history": known, "deferred_tool_results": results}
    stream = _Stream(run)
    events = agent.run_stream_events(**options)
    if hasattr(events, "__aenter__"):
        async with events as opened:
            async for event in opened:
                await stream.take(event)
    else:
        async for event in events:
            await stream.take(event)
    await stream.close()
    if stream.result is None or not _is_deferred(stream.result.output):
        return None
    waiting = [
        {"kind": kind, "id": call.tool_call_id, "name": call.tool_name, "arguments": call.args_as_json_str()}
        for kind in ("approvals", "calls")
        for call in getattr(stream.result.output, kind)
    ]
    return {"messages": json.loads(stream.result.all_messages_json()), "waiting": waiting}


async def _results(run: Run, waiting: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The user's answers, as the members of ``DeferredToolResults``."""
    results: dict[str, Any] = {"approvals": {}, "calls": {}}
    for item in waiting:
        call = Call(item["id"], item["name"], item["arguments"])
        if item["kind"] == "calls":
            question = f"What is the result of {call.name} with {call.arguments}?"
            results["calls"][call.id] = await run.ask(call.id, question)
            continue
        question = f"May I call {call.name} with {call.arguments}?"
        approval = await run.approve(call.id, question, tool=call.name, arguments=call.parsed())
        refusal = import_module("pydantic_ai.tools").ToolDenied(f"The user has refused this call: {approval.text}")
        results["approvals"][call.id] = True if approval else refusal
    return results


async def _with_system_prompt(agent: Any, history: list[Any]) -> list[Any]:
    """The agent adds its system prompts only to conversations without a history."""
    pydantic = import_module("pydantic_ai.messages")
    has_one = any(part.part_kind == "system-prompt" for message in history for part in message.parts)
    if has_one or not history:
        return history
    if hasattr(agent, "system_prompt_parts"):
        parts = await agent.system_prompt_parts(message_history=history)
    else:
        parts = [pydantic.SystemPromptPart(text) for text in getattr(agent, "_system_prompts", ())]
    if isinstance(history[0], pydantic.ModelRequest):
        return [pydantic.ModelRequest(parts=[*parts, *history[0].parts]), *history[1:]]
    return [pydantic.ModelRequest(parts=parts), *history] if parts else history


def _extend(history: list[Any], kind: Any, parts: list[Any]) -> None:
    """Requests and responses alternate."""
    if history and isinstance(history[-1], kind):
        history[-1] = kind(parts=[*history[-1].parts, *parts])
    else:
        history.append(kind(parts=parts))


def _prompt_of(said: Said) -> Any:
    parts = [part for content in said.contents if (part := _part_of(content))]
    return "".join(parts) if all(isinstance(part, str) for part in parts) else parts


def _part_of(content: Mapping[str, Any]) -> Any:
    pydantic = import_module("pydantic_ai.messages")
    kind = content.get("type")
    if kind == "image" and content.get("image_url"):
        return _media(content["image_url"], pydantic.ImageUrl)
    if kind == "video" and content.get("video_url"):
        return _media(content["video_url"], pydantic.VideoUrl)
    if kind == "audio" and content.get("data"):
        return _media(audio_url(content), pydantic.AudioUrl)
    if kind == "file" and (content.get("file_url") or content.get("file_data")):
        return _media(content.get("file_url") or content["file_data"], pydantic.DocumentUrl)
    return text_of_content(content)


def _media(url: str, kind: Any) -> Any:
    pydantic = import_module("pydantic_ai.messages")
    return pydantic.BinaryContent.from_data_uri(url) if url.startswith("data:") else kind(url=url)


def _is_deferred(output: object) -> bool:
    return type(output).__name__ == "DeferredToolRequests"


class _Stream:
    """The messages of a stream."""

    def __init__(self, run: Run) -> None:
        self.result: Any = None
        self._answer = Answer(run)
        self._calls: dict[int, str] = {}
        self._pending: tuple[int, Any] | None = None
        self._output_calls: set[str] = set()

    async def take(self, event: Any) -> None:
        """Writes an event."""
        kind = event.event_kind
        if kind == "final_result" and event.tool_call_id:
            # The model gives its result as a call; the result itself is written at the end.
            self._output_calls.add(event.tool_call_id)
        await self._start_pending()
        if kind == "part_start":
            await self._start(event.index, event.part)
        elif kind == "part_delta":
            await self._delta(event.index, event.delta)
        elif kind in ("function_tool_result", "output_tool_result"):
            part = getattr(event, "part", None) or event.result
            if part.tool_call_id not in self._output_calls:
                await self._answer.output(part.tool_call_id, _output_of(part), part.tool_name)
        elif kind == "agent_run_result":
            await self._result(event.result)

    async def close(self) -> None:
        """Closes what is open."""
        await self._start_pending()
        await self._answer.close()

    async def _start(self, index: int, part: Any) -> None:
        self._calls.pop(index, None)
        if part.part_kind in ("text", "thinking"):
            await self._answer.end_message()
            await self._text(part.part_kind, part.content)
        elif part.part_kind.endswith("tool-call"):
            # The next event says whether the call is the result.
            self._pending = (index, part)
        elif part.part_kind.endswith("tool-return"):
            await self._answer.output(part.tool_call_id, _output_of(part), part.tool_name)
        elif part.part_kind == "file":
            data = base64.b64encode(part.content.data).decode()
            url = f"data:{part.content.media_type};base64,{data}"
            is_image = part.content.media_type.startswith("image/")
            content = {"type": "image", "image_url": url} if is_image else {"type": "file", "file_data": url}
            await self._answer.put(content)

    async def _start_pending(self) -> None:
        if self._pending is not None:
            (index, part), self._pending = self._pending, None
            if part.tool_call_id not in self._output_calls:
                self._calls[index] = part.tool_call_id
                arguments = part.args if isinstance(part.args, str) else to_text(part.args) if part.args else ""
                await self._answer.call(part.tool_call_id, part.tool_name, arguments)

    async def _delta(self, index: int, delta: Any) -> None:
        if delta.part_delta_kind in ("text", "thinking"):
            await self._text(delta.part_delta_kind, delta.content_delta)
        elif delta.part_delta_kind == "tool_call" and index in self._calls and delta.args_delta:
            arguments = delta.args_delta if isinstance(delta.args_delta, str) else to_text(delta.args_delta)
            await self._answer.call(self._calls[index], "", arguments)

    async def _text(self, kind: str, text: str | None) -> None:
        await self._answer.text(text or "", "reasoning" if kind == "thinking" else "message")

    async def _result(self, result: Any) -> None:
        self.result = result
        if self._output_calls and isinstance(result.output, str):
            await self._answer.text(result.output)
        elif not isinstance(result.output, str) and not _is_deferred(result.output):
            data = import_module("pydantic_core").to_jsonable_python(result.output)
            await self._answer.put({"type": "data", "data": data if isinstance(data, dict) else {"result": data}})
        usage = result.usage if hasattr(result.usage, "input_tokens") else result.usage()
        self._answer.usage.add(input_tokens=usage.input_tokens, output_tokens=usage.output_tokens)


def _output_of(part: Any) -> str:
    if part.part_kind == "retry-prompt":
        return str(part.model_response())
    return str(part.model_response_str()) if hasattr(part, "model_response_str") else to_text(part.content)
