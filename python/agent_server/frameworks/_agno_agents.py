"""Agents and teams of agno that a script has as objects."""

from __future__ import annotations

import copy
from contextlib import aclosing
from functools import partial
from importlib import import_module
from typing import Any, Awaitable, Callable

from .._run import Run
from ._answer import plain, to_json
from ._state import load_state, save_state
from ._turns import outputs_of_client
from .agno import Events, read


def answering(original: Any) -> Callable[[Run], Awaitable[None]]:
    """A function that answers runs with an agent or a team."""

    async def answer(run: Run) -> None:
        # Agno sets members of an agent while it works.
        agent = original.deep_copy()
        state = await load_state(run) or {}
        paused = _restored(agent, state["paused"]) if state.get("paused") else None
        number = 0
        while True:
            if paused is not None:
                await _resolve(run, paused)
            # A step, so that the run that has the user's answers does not begin anew.
            saved = await run.step(f"turn {number}", partial(_execute, run, agent, paused))
            paused = None if saved is None else _restored(agent, saved)
            number += 1
            if paused is None or _of_client(paused):
                break
        if saved or state:
            await save_state(run, {"paused": saved} if saved else {})

    return answer


async def _execute(run: Run, agent: Any, paused: Any) -> Any:
    """Executes the agent, or continues its run; returns the output of the run, as JSON, if it is paused."""
    options: dict[str, Any] = {"stream": True, "stream_events": True, "yield_run_output": True}
    options.update(user_id=run.user_id, session_id=run.session_id)
    if paused is None:
        stream = agent.arun(await _input(run, agent), **options)
    else:
        stream = agent.acontinue_run(run_response=paused, requirements=paused.requirements, **options)
    output = await _write(run, stream)
    return None if output is None else plain(output.to_dict())


async def _input(run: Run, agent: Any) -> Any:
    messages = run.input if agent.db is not None else [*await run.history(), *run.input]
    converted = read(messages)
    if len(converted) == 1 and converted[0]["role"] == "user" and len(converted[0]["content"]) == 1:
        # Agno names sessions after a text, and remembers it.
        return converted[0]["content"][0].get("text") or converted
    return converted


async def _write(run: Run, stream: Any) -> Any:
    """Writes the events, and returns the output of the run if it is paused."""
    events = Events(run)
    output = None
    async with aclosing(stream) as items:
        async for item in items:
            if hasattr(item, "event"):
                await events.add(item)
            else:
                output = item
    await events.end()
    if output is None or not output.is_paused:
        return None
    for requirement in _of_client(output):
        tool = requirement.tool_execution
        async with run.tool_call(tool.tool_name, tool.tool_call_id, by_client=True) as call:
            await call.text(to_json(tool.tool_args or {}))
    return output


def _of_client(paused: Any) -> list[Any]:
    """What waits for outputs of the client's tools."""
    return [each for each in paused.active_requirements if each.needs_external_execution]


def _restored(agent: Any, saved: dict[str, Any]) -> Any:
    is_team = hasattr(agent, "members")
    module, name = ("agno.run.team", "TeamRunOutput") if is_team else ("agno.run.agent", "RunOutput")
    # It takes the dictionary apart.
    paused = getattr(import_module(module), name).from_dict(copy.deepcopy(saved))
    # What is saved apart is one object in a run that has not left the process.
    waiting = {each.tool_execution.tool_call_id: each.tool_execution for each in paused.requirements or []}
    paused.tools = [waiting.get(tool.tool_call_id, tool) for tool in paused.tools or []]
    return paused


async def _resolve(run: Run, paused: Any) -> None:
    """Gets what a paused run waits for."""
    outputs = outputs_of_client(run)
    for requirement in paused.active_requirements:
        tool = requirement.tool_execution
        if requirement.needs_confirmation:
            question = f"Shall I call {tool.tool_name} with {to_json(tool.tool_args or {})}?"
            call = {"tool": tool.tool_name, "arguments": tool.tool_args}
            approval = await run.approve(tool.tool_call_id, question, **call)
            if approval:
                requirement.confirm()
            else:
                await _reject(run, requirement, approval.text)
        elif requirement.needs_user_feedback:
            await _ask_feedback(run, requirement)
        elif requirement.needs_user_input:
            await _ask_input(run, requirement)
        else:
            output = outputs.get(tool.tool_call_id, "The client has sent no output of this call.")
            requirement.set_external_execution_result(output if isinstance(output, str) else to_json(output))


async def _reject(run: Run, requirement: Any, reason: str) -> None:
    """Agno tells the model, but has no events for it."""
    requirement.reject(reason)
    tool = requirement.tool_execution
    async with run.tool_call(tool.tool_name, tool.tool_call_id) as call:
        await call.text(to_json(tool.tool_args or {}))
    output = tool.confirmation_note or "Function call was rejected by the user"
    await run.tool_output(tool.tool_name, tool.tool_call_id, output)


async def _ask_feedback(run: Run, requirement: Any) -> None:
    selections = {}
    for question in requirement.user_feedback_schema:
        labels = ", ".join(option.label for option in question.options or [])
        text = f"{question.question} ({labels})" if labels else question.question
        key = f"{requirement.tool_execution.tool_call_id} {question.question}"
        selections[question.question] = [await run.ask(key, text)]
    requirement.provide_user_feedback(selections)


async def _ask_input(run: Run, requirement: Any) -> None:
    values = {}
    for field in requirement.user_input_schema:
        if field.value is None:
            text = f"{field.name}: {field.description}" if field.description else f"{field.name}?"
            answer = await run.ask(f"{requirement.tool_execution.tool_call_id} {field.name}", text)
            values[field.name] = field.field_type(answer) if field.field_type in (int, float) else answer
    requirement.provide_user_input(values)
