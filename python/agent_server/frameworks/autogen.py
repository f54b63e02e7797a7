"""AutoGen AgentChat: what ``run_stream`` streams, as messages of a run."""

from __future__ import annotations

import asyncio
import json
from importlib import import_module
from typing import Any, AsyncIterator, Callable, Mapping, Sequence

from .._run import Run
from ._answer import Answer
from ._autogen_copy import fresh_copy, stop
from ._conversation import Calls, Output, Said, conversation, entries

_EVENTS = ("MemoryQueryEvent", "SelectSpeakerEvent", "SelectorEvent", "CodeGenerationEvent", "CodeExecutionEvent")


async def write(run: Run, items: AsyncIterator[Any]) -> None:
    """Writes the stream of an agent or a team. Events of our protocol, as objects, are passed on."""
    stream = _Stream(run)
    async for item in items:
        await stream.take(item)
    await stream.close()


def read(messages: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Our messages as chat messages. Calls of tools are left out: agents do not tell each other of theirs."""
    agentchat = import_module("autogen_agentchat.messages")
    result: list[Any] = []
    for entry in entries(messages):
        if isinstance(entry, Said) and entry.kind == "message" and entry.contents:
            content, source = _content_of(entry), _source_of(entry)
            kind = agentchat.TextMessage if isinstance(content, str) else agentchat.MultiModalMessage
            result.append(kind(content=content, source=source))
    return result


def read_context(messages: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Our messages as those that the context of a model has, with calls of tools and their outputs."""
    models = import_module("autogen_core.models")
    core = import_module("autogen_core")
    result: list[Any] = []
    for entry in entries(messages):
        if isinstance(entry, Calls):
            calls = [core.FunctionCall(id=call.id, name=call.name, arguments=call.arguments) for call in entry.calls]
            result.append(models.AssistantMessage(content=calls, source="assistant"))
        elif isinstance(entry, Output):
            output = models.FunctionExecutionResult(
                content=entry.text, name=entry.name, call_id=entry.call_id, is_error=entry.is_error
            )
            if not (result and isinstance(result[-1], models.FunctionExecutionResultMessage)):
                result.append(models.FunctionExecutionResultMessage(content=[]))
            result[-1].content.append(output)
        elif entry.kind == "message" and entry.role == "assistant":
            result.append(models.AssistantMessage(content=entry.text, source=_source_of(entry)))
        elif entry.kind == "message" and entry.role == "system":
            result.append(models.SystemMessage(content=entry.text))
        elif entry.kind == "message":
            result.append(models.UserMessage(content=_content_of(entry), source=_source_of(entry)))
    return result


def handler(candidate: object) -> Callable[[Run], Any] | None:
    """The function that answers a run with an agent or a team; nothing if this is neither."""
    names = {kind.__name__ for kind in type(candidate).__mro__ if kind.__module__.startswith("autogen_agentchat.")}
    if not names & {"BaseChatAgent", "BaseGroupChat"}:
        return None

    async def handle(run: Run) -> None:
        agent, messages = fresh_copy(candidate), await conversation(run)
        if "AssistantAgent" in names:
            last = max((i for i, message in enumerate(messages) if message.get("role") == "user"), default=0)
            for message in read_context(messages[:last]):
                await agent.model_context.add_message(message)
            messages = messages[last:]
        task = read(messages)
        token = import_module("autogen_core").CancellationToken()
        stream = agent.run_stream(task=task, cancellation_token=token, output_task_messages=False)
        writing = asyncio.create_task(write(run, stream))
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            # A team that is cancelled waits until its agents are idle, so these are stopped first.
            token.cancel()
            stop(agent)
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            raise

    return handle


def _source_of(said: Said) -> str:
    return str((said.message.get("metadata") or {}).get("source") or said.role)


def _content_of(said: Said) -> Any:
    """A text if there is nothing else, otherwise a list of texts and images."""
    urls = [content["image_url"] for content in said.contents if content.get("type") == "image"]
    if not urls:
        return said.text
    image = import_module("autogen_core").Image
    # Images at addresses would have to be fetched; the model gets the address.
    images = [image.from_uri(url) if url.startswith("data:") else url for url in urls]
    return [*([said.text] if said.text else []), *images]


class _Stream:
    """The messages of a stream: those of one agent after the other."""

    def __init__(self, run: Run) -> None:
        self._run, self._answer = run, Answer(run)
        self._streamed: dict[str, str] = {}
        self._is_thinking = False

    async def take(self, item: Any) -> None:
        """Writes an item."""
        if type(item).__name__ == "ModelClientStreamingChunkEvent":
            # Most items are pieces of a text.
            await self._chunk(item.source, item.content)
            return
        if isinstance(item, Mapping) and isinstance(item.get("object"), str):
            await self._run.emit(item)
            return
        # What `on_messages_stream` yields at its end.
        item = getattr(item, "chat_message", item)
        kind, source = type(item).__name__, getattr(item, "source", "")
        if kind == "TaskResult" or source == "user":
            return
        if not hasattr(item, "source"):
            raise TypeError(f"the stream of an agent has messages and events of AutoGen, not {kind}")
        self._answer.metadata = {"source": source}
        if usage := item.models_usage:
            self._answer.usage.add(input_tokens=usage.prompt_tokens, output_tokens=usage.completion_tokens)
        await self._whole(kind, item)

    async def close(self) -> None:
        """Closes what is open."""
        await self._answer.close()

    async def _chunk(self, source: str, text: str) -> None:
        if source not in self._streamed:
            await self._answer.end_message()
            self._answer.metadata = {"source": source}
        self._streamed[source] = self._streamed.get(source, "") + text
        # The first piece of a thought may follow its mark at once.
        if text.startswith("<think>"):
            self._is_thinking, text = True, text.removeprefix("<think>")
        if self._is_thinking:
            thought, mark, text = text.partition("</think>")
            self._is_thinking = not mark
            await self._answer.text(thought, "reasoning")
        await self._answer.text(text)

    async def _whole(self, kind: str, item: Any) -> None:
        if kind == "ThoughtEvent":
            await self._thought(item)
            return
        was_streamed = self._streamed.pop(item.source, None) is not None
        if kind == "ToolCallRequestEvent":
            for call in item.content:
                await self._answer.call(call.id, call.name, call.arguments)
            # The calls are complete, and their tools may take long.
            await self._answer.close()
        elif kind == "ToolCallExecutionEvent":
            for result in item.content:
                await self._answer.output(result.call_id, result.content, result.name)
        elif kind == "HandoffMessage":
            names = {"from": item.source, "to": item.target}
            await self._run.emit({"object": "autogen.handoff", **names})
        elif kind in _EVENTS:
            event = item.model_dump(mode="json")
            members = {key: event[key] for key in ("source", "content", "result") if key in event}
            await self._run.emit({"object": f"autogen.{kind}", **members})
        elif kind not in ("StopMessage", "UserInputRequestedEvent"):
            await self._message(item, was_streamed)

    async def _thought(self, item: Any) -> None:
        """A thought, or the model's words beside its calls. The answer or the calls follow, and have their usage."""
        if item.content not in self._streamed.get(item.source, ""):
            await self._answer.text(item.content, "reasoning")

    async def _message(self, item: Any, was_streamed: bool) -> None:
        content = item.content
        if not was_streamed:
            await self._answer.end_message()
            for part in content if isinstance(content, list) else [content]:
                if isinstance(part, str):
                    await self._answer.text(part)
                elif hasattr(part, "data_uri"):
                    await self._answer.put({"type": "image", "image_url": part.data_uri})
                elif hasattr(part, "model_dump_json"):
                    await self._answer.put({"type": "data", "data": json.loads(part.model_dump_json())})
        await self._answer.close()
