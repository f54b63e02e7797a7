"""Answers a run with a LangGraph graph, whose thread is the session."""

from __future__ import annotations

from typing import Any, AsyncIterator, Mapping, Sequence
from urllib.parse import quote

from .._run import Run
from . import langgraph
from ._langgraph_interrupt import Interrupts
from ._messages import cause_of_end, conversation, no_output

_MODES = ["messages", "updates", "custom"]


async def answer(run: Run, graph: Any) -> None:
    """Executes the graph, and again after each question that its interrupts have asked."""
    if "messages" not in graph.channels:
        raise TypeError(
            f"the graph {graph.name!r} has no state key 'messages', so it cannot be an agent by itself: "
            "call it in a function with @agent"
        )
    thread = _Thread(run, graph)
    interrupts = Interrupts(run, graph, thread.config)
    if not graph.checkpointer:
        given = {"messages": langgraph.read(await conversation(run))}
        await thread.execute(given)
        if thread.is_interrupted:
            raise RuntimeError(
                f"the graph {graph.name!r} interrupts but cannot resume: "
                "compile it with a checkpointer, for example compile(checkpointer=InMemorySaver())"
            )
        return
    given = await interrupts.answers() or await thread.input()
    await thread.execute(given)
    while (given := await interrupts.answers()) is not None:
        await thread.execute(given)


class _Thread:
    """The conversation that the graph's checkpointer keeps."""

    def __init__(self, run: Run, graph: Any) -> None:
        self._run, self._graph = run, graph
        self.is_interrupted = False
        # Quoted, so that no user's thread has the name of another's.
        thread_id = f"{quote(run.user_id, safe='')}/{quote(run.session_id, safe='')}"
        of_run = {"thread_id": thread_id, "user_id": run.user_id, "session_id": run.session_id}
        self.config = {"configurable": of_run}

    async def execute(self, given: Any) -> None:
        """Executes the graph, and writes what it streams."""
        await langgraph.write(self._run, self._stream(given))

    async def _stream(self, given: Any) -> AsyncIterator[Any]:
        stream = self._graph.astream(given, self.config, stream_mode=_MODES, subgraphs=True)
        async for namespace, mode, payload in stream:
            if mode == "updates" and "__interrupt__" in payload:
                self.is_interrupted = True
            yield namespace, mode, payload

    async def input(self) -> Any:
        """What the graph gets in this run; ``None`` lets it continue."""
        state = await self._graph.aget_state(self.config)
        known = state.values.get("messages") if isinstance(state.values, Mapping) else None
        if not known:
            # The session is older than the thread, or the checkpoints were in a process that has ended.
            return {"messages": self._with_ids(langgraph.read(await conversation(self._run)))}
        messages = self._with_ids(langgraph.read(self._run.input))
        is_repeated = bool({message.id for message in messages} & {message.id for message in known})
        if is_repeated and state.next:
            return None
        return {"messages": [*await self._missing_outputs(state, known, messages), *messages]}

    def _with_ids(self, messages: list[Any]) -> list[Any]:
        # An attempt that starts again recognizes the input that the thread already has.
        for number, message in enumerate(messages):
            message.id = f"{self._run.id}_{number}"
        return messages

    async def _missing_outputs(self, state: Any, known: Sequence[Any], given: Sequence[Any]) -> list[Any]:
        """Outputs for the calls that an earlier run has left open, because models refuse a thread without them."""
        answered = {message.tool_call_id for message in [*known, *given] if message.type == "tool"}
        calls = _last_calls(known)
        if all(call["id"] in answered for call in calls):
            return []
        finished = {message.tool_call_id: message for message in _finished(state.tasks)}
        failed = [task.error for task in state.tasks if task.error]
        cause = f"its step has failed: {failed[0]}" if failed else await self._cause(calls)
        from langchain_core.messages import ToolMessage

        return [
            finished.get(call["id"])
            or ToolMessage(no_output(cause), tool_call_id=call["id"], name=call["name"], status="error")
            for call in calls
            if call["id"] not in answered
        ]

    async def _cause(self, calls: Sequence[Mapping[str, Any]]) -> str:
        history = await self._run.history()
        ids = {call["id"] for call in calls}
        for position in range(len(history) - 1, -1, -1):
            contents = history[position].get("content") or ()
            if any((content.get("data") or {}).get("call_id") in ids for content in contents):
                return cause_of_end(history[position:])
        return cause_of_end(history[-1:])


def _last_calls(messages: Sequence[Any]) -> list[dict[str, Any]]:
    """The calls of the last message of the model, if nothing but outputs follows it."""
    for message in reversed(messages):
        if message.type == "ai":
            return list(message.tool_calls)
        if message.type != "tool":
            break
    return []


def _finished(tasks: Sequence[Any]) -> list[Any]:
    """Outputs of tools that were finished when another tool of their step was cut off."""
    results = [task.result.get("messages") or () for task in tasks if isinstance(task.result, Mapping)]
    return [message for result in results for message in result if getattr(message, "type", "") == "tool"]
