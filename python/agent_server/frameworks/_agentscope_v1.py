"""Agents of agentscope 1.x."""

from __future__ import annotations

import asyncio
import copy
from collections import Counter
from contextlib import aclosing
from importlib import import_module
from types import MethodType
from typing import Any, AsyncGenerator, AsyncIterator, Awaitable, Callable

from .._run import Run
from ._agentscope_memory import complete
from ._agentscope_snapshots import Snapshots
from ._conversation import conversation
from ._state import load_state, save_state
from ._tasks import items_of
from ._turns import Turn, turns


def msg(turn: Turn) -> Any:
    """A message of agentscope."""
    made = import_module("agentscope.message").Msg(turn.name, turn.blocks, turn.role, metadata=turn.metadata)
    if turn.id:
        made.id = turn.id
    return made


def handler(candidate: object) -> Callable[[Run], Awaitable[None]] | None:
    """Answers with an agent."""
    agents = import_module("agentscope.agent")
    if not isinstance(candidate, agents.AgentBase) or isinstance(candidate, agents.UserAgent):
        return None

    async def answer(run: Run) -> None:
        await _answer(run, candidate)

    return answer


async def _answer(run: Run, original: Any) -> None:
    agent = _copy_for(run, original)
    state = await load_state(run)
    if state is not None:
        await complete(run, state.get("memory"))
        agent.load_state_dict(state, strict=False)
    messages = run.input if state is not None else await conversation(run)
    writer = Snapshots(run)
    try:
        async with aclosing(_stream(agent, [msg(turn) for turn in turns(messages)])) as stream:
            async for item in stream:
                await writer.add(item)
    except asyncio.CancelledError:
        await _save(run, agent)
        raise
    await writer.end()
    await _save(run, agent)


async def _save(run: Run, agent: Any) -> None:
    state = agent.state_dict()
    # They belong to the script, which may have changed by the next turn.
    for name in ("name", "_sys_prompt"):
        state.pop(name, None)
    await save_state(run, state)


async def _stream(agent: Any, messages: list[Any]) -> AsyncGenerator[Any, None]:
    """What the agent prints while it replies."""
    printed: asyncio.Queue[Any] = asyncio.Queue()
    agent.set_msg_queue_enabled(True, printed)
    reply = asyncio.create_task(agent(messages))
    meter = getattr(agent, "model", None)
    seen = set()
    async with aclosing(items_of(reply, printed)) as items:
        async for item in items:
            if item[1] and meter is not None:
                item[0].usage = meter.take()
            seen.add(item[0].id)
            yield item
    said = reply.result()
    # Agents of a class of the script's own may return a message without printing it.
    if said is not None and said.id not in seen:
        yield said, True


def _copy_for(run: Run, original: Any) -> Any:
    """An agent of its own for a run. It shares the model, the tools and other services with the original."""
    copies: dict[int, Any] = {}
    agent = _copy(original, copies)
    toolkit = import_module("agentscope.tool").Toolkit
    for each in list(copies.values()):
        if isinstance(each, toolkit):
            each.tools = {name: _rebound(tool, copies) for name, tool in each.tools.items()}
    memory = getattr(agent, "memory", None)
    # Memories that keep their messages elsewhere tell conversations apart by these.
    for name, value in (("session_id", run.session_id), ("user_id", run.user_id)):
        if hasattr(memory, name):
            setattr(memory, name, value)
    if hasattr(agent, "model"):
        agent.model = _Metered(agent.model)
    agent.set_console_output_enabled(False)
    return agent


def _copy(original: Any, copies: dict[int, Any]) -> Any:
    """Copies what has a state, which are the agent's modules, their lists and their dictionaries."""
    modules, memories = import_module("agentscope.module"), import_module("agentscope.memory")
    if id(original) in copies:
        return copies[id(original)]
    copied = copies[id(original)] = copy.copy(original)
    for name, value in vars(original).items():
        if isinstance(value, modules.StateModule) and not isinstance(value, memories.LongTermMemoryBase):
            value = _copy(value, copies)
        elif isinstance(value, (dict, list, set)):
            value = copy.copy(value)
        copied.__dict__[name] = value
    parts = copied.__dict__.get("_module_dict", {})
    for name in parts:
        parts[name] = copied.__dict__.get(name, parts[name])
    # The model turns groups of tools on and off.
    if isinstance(groups := copied.__dict__.get("groups"), dict):
        copied.__dict__["groups"] = {name: copy.copy(group) for name, group in groups.items()}
    return copied


def _rebound(original: Any, copies: dict[int, Any]) -> Any:
    """A copy of a tool. If it is a method of what was copied, it is that of the copy."""
    tool = copy.copy(original)
    method = tool.original_func
    if isinstance(method, MethodType) and id(method.__self__) in copies:
        tool.original_func = MethodType(method.__func__, copies[id(method.__self__)])
    return tool


class _Metered:
    """A model that counts the tokens of its calls, which agentscope's messages do not have."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._counted = Counter[str]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def take(self) -> dict[str, int]:
        """The tokens since the last call of this."""
        counted, self._counted = self._counted, Counter()
        return dict(counted)

    async def __call__(self, *arguments: Any, **options: Any) -> Any:
        answer = await self._model(*arguments, **options)
        if hasattr(answer, "__aiter__"):
            return self._counting(answer)
        self._count(answer.usage)
        return answer

    async def _counting(self, answer: Any) -> AsyncIterator[Any]:
        usage = None
        async for piece in answer:
            # Each piece has the tokens of the whole call so far.
            usage = piece.usage or usage
            yield piece
        self._count(usage)

    def _count(self, usage: Any) -> None:
        if usage is not None:
            self._counted.update(input_tokens=usage.input_tokens, output_tokens=usage.output_tokens)
