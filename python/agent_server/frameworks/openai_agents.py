"""The OpenAI Agents SDK: what ``Runner.run_streamed`` streams, as messages of a run."""

from __future__ import annotations

import functools
from importlib import import_module
from typing import Any, AsyncIterator, Callable, Mapping, Sequence

from .._errors import AgentError
from .._run import Run
from ._answer import Answer, to_text
from ._conversation import Call, Calls, Output, Said, audio_url, conversation, entries, text_of_content

_TEXTS = {
    "response.output_text.delta": "message",
    "response.refusal.delta": "message",
    "response.reasoning_summary_text.delta": "reasoning",
    "response.reasoning_text.delta": "reasoning",
}


async def write(run: Run, items: AsyncIterator[Any]) -> None:
    """Writes the events of ``stream_events()``. A guardrail that was tripped is an error that the client sees."""
    await _write(run, items, {})


async def _write(run: Run, items: AsyncIterator[Any], names: Mapping[str, str]) -> None:
    """``names`` has the names of tools that an earlier run has called, by the ids of the calls."""
    stream = _Stream(run, names)
    try:
        async for item in items:
            await stream.take(item)
    except Exception as error:
        if not type(error).__name__.endswith("GuardrailTripwireTriggered"):
            raise
        raise AgentError(f"A guardrail has refused this: {_guardrail(error)}", "GUARDRAIL_TRIPPED") from error
    await stream.close()


def read(messages: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Our messages as input items."""
    items: list[Any] = []
    for entry in entries(messages):
        if isinstance(entry, Calls):
            items += [
                {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.arguments or "{}"}
                for call in entry.calls
            ]
        elif isinstance(entry, Output):
            items.append({"type": "function_call_output", "call_id": entry.call_id, "output": entry.text})
        # Reasoning is taken back only with the id and the signature of the model that wrote it.
        elif entry.kind == "message":
            items.append(_item_of(entry))
    return items


def handler(candidate: object) -> Callable[[Run], Any] | None:
    """The function that answers a run with an ``Agent``; nothing if this is none."""
    is_agent = any(
        kind.__name__ == "Agent" and kind.__module__.split(".")[0] == "agents" for kind in type(candidate).__mro__
    )
    if not is_agent or not hasattr(candidate, "handoffs"):
        return None

    async def handle(run: Run) -> None:
        given: Any = None
        number = 0
        # A step, so that the run that has the user's approvals does not begin anew.
        while state := await run.step(f"turn {number}", functools.partial(_execute, run, candidate, given)):
            given = await _approved(run, candidate, state)
            number += 1

    return handle


async def _execute(run: Run, agent: Any, given: Any) -> Any:
    """Executes the agent; returns its state if it waits for approvals."""
    names = {} if given is None else {_call_id(item): _tool_of(item) for item in given.get_interruptions()}
    result = import_module("agents").Runner.run_streamed(
        agent, read(await conversation(run)) if given is None else given
    )
    try:
        await _write(run, result.stream_events(), names)
    except BaseException:
        # The agent would otherwise go on in a task of its own.
        result.cancel()
        raise
    return result.to_state().to_json() if result.interruptions else None


async def _approved(run: Run, agent: Any, stored: dict[str, Any]) -> Any:
    """The state of the agent with the user's answers."""
    state = await import_module("agents").RunState.from_json(agent, stored)
    for item in state.get_interruptions():
        call_id, name, arguments = _call_id(item), _tool_of(item), _field(item.raw_item, "arguments") or "{}"
        call = Call(call_id, name, arguments)
        approval = await run.approve(
            call_id, f"May I call {name} with {arguments}?", tool=name, arguments=call.parsed()
        )
        if approval:
            state.approve(item)
        else:
            state.reject(item, rejection_message=f"The user has refused this call: {approval.text}")
    return state


def _call_id(item: Any) -> str:
    return str(_field(item.raw_item, "call_id") or _field(item.raw_item, "id"))


def _tool_of(item: Any) -> str:
    return str(item.tool_name or "tool")


def _field(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)


def _guardrail(error: Any) -> str:
    guardrail = getattr(getattr(error, "guardrail_result", None), "guardrail", None) or getattr(
        error, "guardrail", None
    )
    name = getattr(guardrail, "get_name", lambda: str(error))()
    return str(name)


def _item_of(said: Said) -> dict[str, Any]:
    if said.role == "user":
        return {"role": "user", "content": [part for content in said.contents if (part := _part_of(content))]}
    return {"role": "system" if said.role == "system" else "assistant", "content": said.text}


def _part_of(content: Mapping[str, Any]) -> dict[str, Any] | None:
    kind = content.get("type")
    if kind == "image" and content.get("image_url"):
        return {"type": "input_image", "image_url": content["image_url"], "detail": "auto"}
    if kind == "audio" and content.get("data"):
        head, _, data = audio_url(content).partition(";base64,")
        if not data:
            return {"type": "input_text", "text": head}
        return {"type": "input_audio", "input_audio": {"data": data, "format": head.rpartition("/")[2]}}
    if kind == "file":
        given = {key: content[key] for key in ("file_url", "file_data", "file_id", "filename") if content.get(key)}
        return {"type": "input_file", **given}
    text = text_of_content(content)
    return {"type": "input_text", "text": text} if text else None


class _Stream:
    """The messages of a stream: the answers of one model after the other."""

    def __init__(self, run: Run, names: Mapping[str, str]) -> None:
        self._run, self._answer, self._names = run, Answer(run), names
        self._calls: dict[str, str] = {}
        self._written: set[str] = set()

    async def take(self, event: Any) -> None:
        """Writes an event."""
        if event.type == "raw_response_event":
            await self._model(event.data)
        elif event.type == "run_item_stream_event":
            await self._item(event.item)

    async def close(self) -> None:
        """Closes what is open."""
        await self._answer.close()

    async def _model(self, event: Any) -> None:
        if event.type in _TEXTS:
            self._written.add(event.item_id)
            await self._answer.text(event.delta, _TEXTS[event.type])
        elif event.type == "response.output_item.added" and event.item.type == "function_call":
            self._calls[event.item.id or str(event.output_index)] = event.item.call_id
            await self._answer.call(event.item.call_id, event.item.name)
        elif event.type == "response.function_call_arguments.delta":
            call_id = self._calls.get(event.item_id) or self._calls.get(str(event.output_index))
            if call_id is not None:
                self._written.add(call_id)
                await self._answer.call(call_id, "", event.delta)
        elif event.type == "response.output_item.done":
            await self._whole(event.item)
        elif event.type in ("response.completed", "response.incomplete"):
            await self._completed(event.response)

    async def _completed(self, response: Any) -> None:
        for item in response.output:
            await self._whole(item)
        if response.usage is not None:
            names = ("input_tokens", "output_tokens", "total_tokens")
            self._answer.usage.add(**{name: getattr(response.usage, name) for name in names})
        await self._answer.close()
        # Models without ids of their own use the same ones again.
        self._written.clear()
        self._calls.clear()

    async def _whole(self, item: Any) -> None:
        """Writes what was not streamed of an item."""
        key = getattr(item, "call_id", None) or getattr(item, "id", None) or str(id(item))
        if key in self._written:
            return
        self._written.add(key)
        if item.type == "message":
            for part in item.content:
                await self._answer.text(getattr(part, "text", None) or getattr(part, "refusal", None) or "")
        elif item.type == "reasoning":
            for part in item.summary or ():
                await self._answer.text(part.text, "reasoning")
        elif item.type == "function_call":
            await self._answer.call(item.call_id, item.name, item.arguments)
        elif item.type == "mcp_call":
            await self._answer.call(item.id, item.name, item.arguments)
            await self._answer.output(item.id, item.output or item.error or "")
        elif item.type == "image_generation_call" and item.result:
            await self._answer.put({"type": "image", "image_url": f"data:image/png;base64,{item.result}"})
        elif hasattr(item, "model_dump"):
            # A tool that the model's provider has executed.
            await self._run.emit({"object": f"openai_agents.{item.type}", "item": item.model_dump(mode="json")})

    async def _item(self, item: Any) -> None:
        if item.type == "tool_call_output_item":
            await self._output(item, item.output)
        elif item.type == "handoff_output_item":
            await self._output(item, _field(item.raw_item, "output"))
            names = {"from": item.source_agent.name, "to": item.target_agent.name}
            await self._run.emit({"object": "openai_agents.handoff", **names})

    async def _output(self, item: Any, output: Any) -> None:
        call_id = _field(item.raw_item, "call_id")
        if call_id is not None:
            dumped = output.model_dump(mode="json") if hasattr(output, "model_dump") else output
            await self._answer.output(call_id, to_text(dumped), self._names.get(call_id))
