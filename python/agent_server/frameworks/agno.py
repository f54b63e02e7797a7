"""Agno 2.x: events of a run of an agent or of a team."""

from __future__ import annotations

import base64
import sys
from typing import Any, AsyncIterator, Awaitable, Callable, Mapping, Sequence

from .._run import Run
from ._answer import Answer, to_json
from ._turns import Block, Turn, turns

__all__ = ["handler", "read", "write"]


async def write(run: Run, items: AsyncIterator[Any]) -> None:
    """Writes the events of ``agent.arun(…, stream=True, stream_events=True)``."""
    events = Events(run)
    async for item in items:
        await events.add(item)
    await events.end()


def handler(candidate: object) -> Callable[[Run], Awaitable[None]] | None:
    """Answers with an agent or a team. One that has a database keeps the conversation itself."""
    for module, kind in (("agno.agent", "Agent"), ("agno.team", "Team")):
        known = getattr(sys.modules.get(module), kind, None)
        if known is not None and isinstance(candidate, known):
            from ._agno_agents import answering

            return answering(candidate)
    return None


class Events:
    """Writes the events. Members of a team may speak at once, so each run has an answer of its own."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._answers: dict[str | None, Answer] = {}
        self._answered: set[str] = set()
        self._has_deltas = False
        self._media: set[str] = set()

    async def add(self, event: Any) -> None:
        """Writes an event. What is none, or concerns only the framework, has no method here."""
        write = _WRITERS.get(getattr(event, "event", None))
        if write is not None:
            answer = self._answers.get(event.run_id)
            if answer is None:
                answer = self._answers[event.run_id] = Answer(self._run)
            await write(self, answer, event)

    async def end(self) -> None:
        """Closes what is left open."""
        for answer in self._answers.values():
            await answer.close()

    async def _content(self, answer: Answer, event: Any) -> None:
        if event.reasoning_content:
            await answer.text(event.reasoning_content, "reasoning")
        content = event.content
        if content is not None:
            await answer.text(content if type(content) is str else _text(content))
        if getattr(event, "image", None) is not None:
            await self._put(answer, "image", [event.image])

    async def _content_completed(self, answer: Answer, event: Any) -> None:
        # Not closed yet, because the tokens are reported when the run is completed.
        answer.begin_anew()

    async def _reasoning_delta(self, answer: Answer, event: Any) -> None:
        self._has_deltas = True
        await answer.text(event.reasoning_content or "", "reasoning")

    async def _reasoning_step(self, answer: Answer, event: Any) -> None:
        if not self._has_deltas:
            await answer.text(event.reasoning_content or "", "reasoning")

    async def _call_started(self, answer: Answer, event: Any) -> None:
        tool = event.tool
        await answer.call(_call_id(tool), tool.tool_name or "", to_json(tool.tool_args or {}))
        await answer.end_call(_call_id(tool))

    async def _call_completed(self, answer: Answer, event: Any) -> None:
        tool = event.tool
        if _call_id(tool) in self._answered:
            # A tool that fails may have two events.
            return
        self._answered.add(_call_id(tool))
        result = getattr(event, "error", None) if tool.result is None else tool.result
        await answer.output(_call_id(tool), to_json(result), tool.tool_name)
        for kind in ("image", "video", "audio", "file"):
            await self._put(answer, kind, getattr(event, _PLURALS[kind], None))

    async def _completed(self, answer: Answer, event: Any) -> None:
        if not answer.has_text and event.content is not None:
            # Some answers, such as the results of tools that end the run, are not streamed.
            await answer.text(_text(event.content))
        metrics = getattr(event, "metrics", None)
        if metrics is not None and not event.parent_run_id:
            counts = ("input_tokens", "output_tokens", "total_tokens")
            answer.usage.add(**{name: getattr(metrics, name, None) for name in counts})
        await answer.close()
        for kind in ("image", "video", "audio", "file"):
            await self._put(answer, kind, getattr(event, _PLURALS[kind], None))
        spoken = getattr(event, "response_audio", None)
        await self._put(answer, "audio", [spoken] if spoken is not None else None)

    async def _failed(self, answer: Answer, event: Any) -> None:
        # A team may go on without a member.
        if not event.parent_run_id:
            raise RuntimeError(f"the agno agent failed: {event.content}")

    async def _cancelled(self, answer: Answer, event: Any) -> None:
        if not event.parent_run_id:
            raise RuntimeError(f"the agno agent was cancelled: {event.reason}")

    async def _put(self, answer: Answer, kind: str, media: Sequence[Any] | None) -> None:
        for each in media or ():
            if each.id in self._media:
                continue
            self._media.add(each.id)
            content = _medium(kind, each)
            if content is not None:
                await answer.end_message()
                await answer.put(content)
                await answer.close()


_WRITERS: dict[str | None, Callable[[Events, Answer, Any], Awaitable[None]]] = {
    "RunContent": Events._content,
    "RunContentCompleted": Events._content_completed,
    "ReasoningContentDelta": Events._reasoning_delta,
    "ReasoningStep": Events._reasoning_step,
    "ToolCallStarted": Events._call_started,
    "ToolCallCompleted": Events._call_completed,
    "ToolCallError": Events._call_completed,
    "RunCompleted": Events._completed,
    "RunError": Events._failed,
    "RunCancelled": Events._cancelled,
}

# Teams have the same events under names of their own.
_WRITERS.update({f"Team{kind}": write for kind, write in _WRITERS.items()})

_PLURALS = {"image": "images", "video": "videos", "audio": "audio", "file": "files"}
_PLACES = {"image": "image_url", "video": "video_url", "audio": "data"}


def _call_id(tool: Any) -> str:
    # Not every model gives its calls an id.
    return str(tool.tool_call_id or f"call_{tool.tool_name}_{tool.created_at}")


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return to_json(content.model_dump(mode="json") if hasattr(content, "model_dump") else content)


def _medium(kind: str, medium: Any) -> dict[str, Any] | None:
    value = medium.url
    if medium.content is not None:
        data = medium.content if isinstance(medium.content, bytes) else str(medium.content).encode()
        media_type = medium.mime_type or f"{kind}/{medium.format or '*'}"
        value = f"data:{media_type};base64,{base64.b64encode(data).decode()}"
    if value is None:
        return None
    if kind == "file":
        place = "file_url" if medium.content is None else "file_data"
        return {"type": "file", place: value, "filename": getattr(medium, "filename", None)}
    content = {"type": kind, _PLACES[kind]: value}
    return {**content, "format": medium.format or "wav"} if kind == "audio" else content


def read(messages: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Converts messages to objects in the form of OpenAI's Chat Completions. Thoughts are left out."""
    return [message for turn in turns(messages) for message in _messages(turn)]


def _messages(turn: Turn) -> list[dict[str, Any]]:
    found = []
    parts = [part for block in turn.blocks if (part := _part(block)) is not None]
    calls = [_call(block) for block in turn.blocks if block["type"] == "tool_use"]
    if parts or calls:
        message: dict[str, Any] = {"role": turn.role, "name": turn.name, "content": parts or None}
        found.append({**message, "tool_calls": calls} if calls else message)
    for block in turn.blocks:
        if block["type"] == "tool_result":
            output = _output_text(block["output"])
            found.append({"role": "tool", "tool_call_id": block["id"], "content": output, "name": block["name"]})
    return found


def _part(block: Block) -> dict[str, Any] | None:
    kind, source = block["type"], block.get("source") or {}
    if kind == "text":
        return block
    value = source.get("url") or f"data:{source.get('media_type')};base64,{source.get('data')}"
    if kind == "image":
        return {"type": "image_url", "image_url": {"url": value}}
    if kind == "audio" and "data" in source:
        form = source["media_type"].rpartition("/")[2]
        return {"type": "input_audio", "input_audio": {"data": source["data"], "format": form}}
    if kind == "file" and "data" in source:
        return {"type": "file", "file": {"filename": block.get("filename"), "file_data": value}}
    # Models of this form take nothing else, but they may fetch what is at an address.
    return {"type": "text", "text": source["url"]} if "url" in source else None


def _call(block: Block) -> dict[str, Any]:
    function = {"name": block["name"], "arguments": to_json(block["input"])}
    return {"id": block["id"], "type": "function", "function": function}


def _output_text(output: Any) -> str:
    if isinstance(output, str):
        return output
    texts = [block["text"] for block in output if block["type"] == "text"]
    return "\n".join(texts) if len(texts) == len(output) else to_json(output)
