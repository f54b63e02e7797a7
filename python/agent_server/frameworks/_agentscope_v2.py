"""Agents of agentscope 2.x."""

from __future__ import annotations

import asyncio
import copy
import json
import mimetypes
from contextlib import aclosing
from functools import partial
from importlib import import_module
from typing import Any, AsyncGenerator, Awaitable, Callable, Mapping

from .._run import Run
from ._agentscope_events import Events
from ._agentscope_memory import explain
from ._answer import to_json
from ._state import load_state, save_state
from ._tasks import items_of
from ._turns import Block, Turn, outputs_of_client, turns

_TYPES = {"image": "image/jpeg", "audio": "audio/wav", "video": "video/mp4", "file": "application/octet-stream"}


def msg(turn: Turn) -> Any:
    """A message of agentscope. Only an assistant has anything but text and media."""
    role = turn.role
    if any(block["type"] in ("thinking", "tool_use", "tool_result") for block in turn.blocks):
        role = "assistant"
    made: dict[str, Any] = {"name": turn.name, "role": role, "content": [_block(block) for block in turn.blocks]}
    if turn.id:
        made["id"] = turn.id
    return import_module("agentscope.message").Msg(**made, metadata=turn.metadata or {})


def _block(block: Block) -> dict[str, Any]:
    kind = block["type"]
    if kind in ("text", "thinking"):
        return block
    if kind == "tool_use":
        given = to_json(block["input"])
        return {"type": "tool_call", "id": block["id"], "name": block["name"], "input": given, "state": "finished"}
    if kind == "tool_result":
        return _result(block["id"], block["name"], block["output"], "success")
    source = block["source"]
    guessed = mimetypes.guess_type(source.get("url", ""))[0] or _TYPES[kind]
    return {"type": "data", "name": block.get("filename"), "source": {"media_type": guessed, **source}}


def _result(call_id: str, name: str | None, output: Any, state: str) -> dict[str, Any]:
    blocks = output if isinstance(output, str) else [_block(block) for block in output]
    return {"type": "tool_result", "id": call_id, "name": name or "", "output": blocks, "state": state}


def handler(candidate: object) -> Callable[[Run], Awaitable[None]] | None:
    """Answers with an agent."""
    if not isinstance(candidate, import_module("agentscope.agent").Agent):
        return None

    async def answer(run: Run) -> None:
        await _answer(run, candidate)

    return answer


async def _answer(run: Run, original: Any) -> None:
    agent = await _copy_for(run, original)
    inputs: Any = None
    number = 0
    # A step, so that the run that has the user's answers does not begin anew.
    while asking := await run.step(f"turn {number}", partial(_execute, run, agent, inputs)):
        _use(agent, type(original.state).model_validate(asking))
        inputs = await _confirmations(run, agent)
        number += 1


async def _execute(run: Run, agent: Any, inputs: Any) -> Any:
    """Lets the agent reply; returns its state, as JSON, if it asks the user."""
    if inputs is None and _asking(agent):
        return agent.state.model_dump(mode="json")
    clients = {tool.name for group in agent.toolkit.tool_groups for tool in group.tools if tool.is_external_tool}
    events = Events(run, clients.__contains__)
    try:
        async with aclosing(_stream(agent, inputs or _client_results(run, agent) or _new_input(run, agent))) as stream:
            async for event in stream:
                await events.add(event)
    except asyncio.CancelledError:
        await _save(run, agent)
        raise
    await events.end()
    await _save(run, agent)
    return agent.state.model_dump(mode="json") if _asking(agent) else None


async def _stream(agent: Any, inputs: Any) -> AsyncGenerator[Any, None]:
    events: asyncio.Queue[Any] = asyncio.Queue()

    async def reply() -> None:
        async for event in agent.reply_stream(inputs):
            events.put_nowait(event)

    async with aclosing(items_of(asyncio.create_task(reply()), events)) as items:
        async for item in items:
            yield item


async def _save(run: Run, agent: Any) -> None:
    await save_state(run, agent.state.model_dump(mode="json"))


def _new_input(run: Run, agent: Any) -> list[Any]:
    """What the user says. What an agent does not take as input becomes part of the conversation before it."""
    messages = [msg(turn) for turn in turns(run.input)]
    context = agent.state.context
    new: list[Any] = []
    for message in messages:
        is_input = message.role != "system" and all(block.type in ("text", "data") for block in message.content)
        if is_input:
            new.append(message)
        else:
            context += [*new, message]
            new = []
    return new


def _client_results(run: Run, agent: Any) -> Any:
    """The outputs of the client's tools, if the agent waits for them."""
    waiting = agent.state.get_awaiting_tool_calls(agent.name)
    outputs = outputs_of_client(run)
    results = [_client_result(call, outputs) for call in waiting if call.state == "submitted"]
    event = import_module("agentscope.event").ExternalExecutionResultEvent
    return event(reply_id=agent.state.reply_id, execution_results=results) if results else None


def _asking(agent: Any) -> list[Any]:
    """The calls that need the user's confirmation."""
    return [call for call in agent.state.get_awaiting_tool_calls(agent.name) if call.state == "asking"]


def _client_result(call: Any, outputs: Mapping[str, Any]) -> dict[str, Any]:
    if call.id in outputs:
        return _result(call.id, call.name, outputs[call.id], "success")
    return _result(call.id, call.name, "The client has sent no output of this call.", "error")


async def _confirmations(run: Run, agent: Any) -> Any:
    """Asks the user for the calls that need it."""
    results = []
    for call in _asking(agent):
        question = f"Shall I call {call.name} with {call.input}?"
        approval = await run.approve(call.id, question, tool=call.name, arguments=_arguments(call.input))
        results.append({"confirmed": approval.approved, "tool_call": call})
    event = import_module("agentscope.event").UserConfirmResultEvent
    return event(reply_id=agent.state.reply_id, confirm_results=results)


def _arguments(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {}


async def _copy_for(run: Run, original: Any) -> Any:
    """An agent of its own for a run, with the state of the session. It shares the model and the tools."""
    agent = copy.copy(original)
    saved = await load_state(run)
    if saved is not None:
        await explain(run, saved["context"])
        state = type(original.state).model_validate(saved)
    else:
        state = original.state.model_copy(deep=True)
        state.context += [msg(turn) for turn in turns(await run.history())]
    state.session_id = run.session_id
    _use(agent, state)
    agent._compression_tool = copy.copy(original._compression_tool)
    agent._compression_tool._func = agent._compress_context_tool
    # An agent adds tools to its toolkit and removes them.
    agent.toolkit = copy.copy(original.toolkit)
    agent.toolkit.tool_groups = [copy.copy(group) for group in original.toolkit.tool_groups]
    return agent


def _use(agent: Any, state: Any) -> None:
    agent.state = state
    agent._engine = import_module("agentscope.permission").PermissionEngine(state.permission_context)
