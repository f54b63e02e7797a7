"""Interrupts of a LangGraph graph, as questions to the user."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any, Iterator, Mapping, Sequence

from .._run import Approval, Run

_QUESTION = ("question", "query", "message", "prompt", "text", "description")


async def resume_command(run: Run, graph: Any, state: Any) -> Any:
    """The command that resumes the graph with the user's answers; nothing if no interrupt waits.

    A question without an answer ends the run, so the graph is resumed only once all are answered: each resumption
    executes the interrupted nodes again.
    """
    answers = {}
    for interrupt, checkpoint, task_id in _waiting(state):
        count = await _count_of_answers(graph, checkpoint, task_id)
        key = f"{interrupt.id}.{count}" if count else interrupt.id
        answers[interrupt.id] = await _answer(run, key, interrupt)
    if not answers:
        return None
    return import_module("langgraph.types").Command(resume=answers)


def is_at_breakpoint(graph: Any, state: Any) -> bool:
    """Whether the graph waits before or after a node, because it was compiled with ``interrupt_before`` or ``_after``.

    A run that was cut off in such a node looks alike, and is continued only with the user's approval, too.
    """
    before, after = graph.interrupt_before_nodes or (), graph.interrupt_after_nodes or ()
    return bool(state.next) and bool(after or before == "*" or set(before) & set(state.next))


async def approve_step(run: Run, state: Any, calls: Sequence[Mapping[str, Any]]) -> Approval:
    """Asks whether the graph may continue after a breakpoint."""
    key = state.config["configurable"]["checkpoint_id"]
    if len(calls) == 1:
        name, arguments = calls[0]["name"], calls[0]["args"]
        return await run.approve(key, _approve_question(name, arguments), tool=name, arguments=arguments)
    names = ", ".join(state.next)
    listed = "".join(f"\n{_call_as_text(call['name'], call['args'])}" for call in calls)
    return await run.approve(key, f"May I continue with {names}?{listed}", tool=names)


async def _count_of_answers(graph: Any, checkpoint: Any, task_id: str) -> int:
    """How many interrupts of the task were answered before: in some versions, all of a task have the same id."""
    saved = await graph.checkpointer.aget_tuple(checkpoint)
    writes = (saved and saved.pending_writes) or ()
    return sum(len(value) for task, channel, value in writes if (task, channel) == (task_id, "__resume__"))


def _waiting(state: Any) -> Iterator[tuple[Any, Any, str]]:
    """The interrupts, each with the checkpoint and the id of its task; those of subgraphs in their own."""
    for task in state.tasks:
        if getattr(task.state, "tasks", None):
            yield from _waiting(task.state)
        else:
            for interrupt in task.interrupts:
                yield interrupt, state.config, task.id


async def _answer(run: Run, key: str, interrupt: Any) -> Any:
    """Asks what the interrupt asks, and returns the answer in the form that its node expects."""
    value = interrupt.value
    if isinstance(value, Mapping) and isinstance(value.get("action_requests"), list):
        requests = value["action_requests"]
        return {"decisions": [await _decision(run, f"{key}/{n}", request) for n, request in enumerate(requests)]}
    if (
        isinstance(value, list)
        and value
        and all(isinstance(item, Mapping) and "action_request" in item for item in value)
    ):
        return [await _response(run, f"{key}/{n}", request) for n, request in enumerate(value)]
    schema = getattr(interrupt, "response_schema", None)
    tool = isinstance(value, Mapping) and (value.get("tool") or value.get("tool_name"))
    if isinstance(tool, str) or isinstance(schema, Mapping) and schema.get("type") == "boolean":
        return await _approval(run, key, value, tool or None)
    return _parsed(await run.ask(key, _question_of(value)))


async def _decision(run: Run, key: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """An approval of the middleware of ``langchain.agents``."""
    name, arguments = request["name"], request.get("args") or request.get("arguments") or {}
    question = request.get("description") or _approve_question(name, arguments)
    approval = await run.approve(key, question, tool=name, arguments=arguments)
    return {"type": "approve"} if approval else {"type": "reject", "message": approval.text}


async def _response(run: Run, key: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """An approval in the form of agent inboxes."""
    name, arguments = request["action_request"]["action"], request["action_request"].get("args") or {}
    question = request.get("description") or _approve_question(name, arguments)
    approval = await run.approve(key, question, tool=name, arguments=arguments)
    if approval:
        return {"type": "accept", "args": None}
    if (request.get("config") or {}).get("allow_respond"):
        return {"type": "response", "args": approval.text}
    return {"type": "ignore", "args": None}


async def _approval(run: Run, key: str, value: Any, tool: str | None) -> bool:
    if tool is None:
        return bool(await run.approve(key, _question_of(value)))
    arguments = value.get("args") or value.get("arguments") or value.get("tool_args") or value.get("tool_input") or {}
    asked = next((value[name] for name in _QUESTION if isinstance(value.get(name), str)), None)
    question = asked or _approve_question(tool, arguments)
    arguments = arguments if isinstance(arguments, Mapping) else {"arguments": arguments}
    return bool(await run.approve(key, question, tool=tool, arguments=arguments))


def _approve_question(name: str, arguments: Any) -> str:
    return f"May I call {_call_as_text(name, arguments)}?"


def _call_as_text(name: str, arguments: Any) -> str:
    return f"{name} with {json.dumps(arguments, ensure_ascii=False, default=str)}"


def _question_of(value: Any) -> str:
    """The words of the question, and what else the interrupt shows the user."""
    if not isinstance(value, Mapping):
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    asked = next((name for name in _QUESTION if isinstance(value.get(name), str)), None)
    lines = [value[asked]] if asked else []
    for name, shown in value.items():
        if name != asked:
            lines.append(
                f"{name}: {shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False, default=str)}"
            )
    return "\n".join(lines)


def _parsed(text: str) -> Any:
    """A client that knows the graph may answer with an object, a list or a boolean, as JSON."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, (dict, list, bool)) else text
