"""Answers a run with a LangGraph graph, whose thread is the session."""

from __future__ import annotations

from importlib import import_module
from typing import Any, AsyncIterator, Mapping, Sequence
from urllib.parse import quote

from .._run import Run
from . import langgraph
from ._langgraph_interrupt import approve_step, is_at_breakpoint, resume_command
from ._conversation import cause_of_end_after, conversation, no_output

_MODES = ["messages", "updates", "custom"]
_STEP = "langgraph thread"


async def answer(run: Run, graph: Any) -> None:
    """Executes the graph, and again after each question at which it waits."""
    if "messages" not in graph.channels:
        raise TypeError(
            f"the graph {graph.name!r} has no state key 'messages', so it cannot be an agent by itself: "
            "call it in a function with @agent"
        )
    thread = await _thread(run, graph)
    if not graph.checkpointer:
        await thread.execute({"messages": langgraph.read(await conversation(run))})
        if thread.is_interrupted:
            raise RuntimeError(
                f"the graph {graph.name!r} interrupts but cannot resume: "
                "compile it with a checkpointer, for example compile(checkpointer=InMemorySaver())"
            )
        return
    waits, given = await thread.resumption()
    await thread.execute(given if waits else await thread.input())
    waits, given = await thread.resumption()
    while waits:
        await thread.execute(given)
        waits, given = await thread.resumption()


def config_of(run: Run) -> dict[str, dict[str, str]]:
    """The configuration of a run, with the ids of its user, session and thread."""
    # Quoted, so that no user's thread has the name of another's.
    thread_id = f"{quote(run.user_id, safe='')}/{quote(run.session_id, safe='')}"
    return {"configurable": {"thread_id": thread_id, "user_id": run.user_id, "session_id": run.session_id}}


async def _thread(run: Run, graph: Any) -> _Thread:
    """The thread of the session, or that of the run whose question this one answers.

    The two differ if a response continues another without a conversation: then each run has a session of its own.
    """
    thread = _Thread(run, graph)
    if any(message.get("type") == "mcp_approval_response" or _is_question(message) for message in run.input):
        await thread.keep()
    return thread


def _is_question(message: Mapping[str, Any]) -> bool:
    return "question" in (message.get("metadata") or ())


class _Thread:
    """The conversation that the graph's checkpointer keeps."""

    def __init__(self, run: Run, graph: Any) -> None:
        self._run, self._graph, self._is_kept = run, graph, False
        self.is_interrupted = False
        self.config = config_of(run)

    async def keep(self) -> None:
        """Keeps the id of the thread for the runs of this turn, and takes that which an earlier one has kept."""
        if not self._is_kept:
            self._is_kept, of_run = True, self.config["configurable"]
            of_run["thread_id"] = await self._run.step(_STEP, lambda: of_run["thread_id"])

    async def execute(self, given: Any) -> None:
        """Executes the graph, and writes what it streams."""
        await langgraph.write(self._run, self._stream(given))

    async def _stream(self, given: Any) -> AsyncIterator[Any]:
        stream = self._graph.astream(given, self.config, stream_mode=_MODES, subgraphs=True)
        async for namespace, mode, payload in stream:
            if mode == "updates" and "__interrupt__" in payload:
                self.is_interrupted = True
            yield namespace, mode, payload

    async def resumption(self) -> tuple[bool, Any]:
        """Whether the graph waits for the user, and what it gets once all questions are answered."""
        state = await self._graph.aget_state(self.config, subgraphs=True)
        if state.next:
            await self.keep()
        if (command := await resume_command(self._run, self._graph, state)) is not None:
            return True, command
        if not is_at_breakpoint(self._graph, state):
            return False, None
        approval = await approve_step(self._run, state, _last_calls(_messages_in(state)))
        if approval:
            return True, None
        outputs = await self._missing_outputs(state, (), f"the user has refused it: {approval.text}")
        # Without a call to refuse, the user's words are the next message.
        return bool(outputs), {"messages": outputs}

    async def input(self) -> Any:
        """What the graph gets in this run; ``None`` lets it continue."""
        state = await self._graph.aget_state(self.config)
        known = _messages_in(state)
        if not known:
            # The session is older than the thread, or the checkpoints were in a process that has ended.
            return {"messages": langgraph.read(await conversation(self._run))}
        messages = langgraph.read(self._run.input)
        if self._run.attempt > 1 and state.next and _ends_with(known, messages):
            return None
        return {"messages": [*await self._missing_outputs(state, messages), *messages]}

    async def _missing_outputs(self, state: Any, given: Sequence[Any], cause: str | None = None) -> list[Any]:
        """Outputs for the calls that an earlier run has left open, because models refuse a thread without them."""
        known = _messages_in(state)
        answered = {message.tool_call_id for message in [*known, *given] if message.type == "tool"}
        calls = [call for call in _last_calls(known) if call["id"] not in answered]
        if not calls:
            return []
        ToolMessage = import_module("langchain_core.messages").ToolMessage
        finished = {message.tool_call_id: message for message in _finished(state.tasks)}
        output = no_output(cause or await self._cause(state, calls))
        return [
            finished.get(call["id"]) or ToolMessage(output, tool_call_id=call["id"], name=call["name"], status="error")
            for call in calls
        ]

    async def _cause(self, state: Any, calls: Sequence[Mapping[str, Any]]) -> str:
        failed = [task.error for task in state.tasks if task.error and "CancelledError" not in repr(task.error)]
        if failed:
            return f"its step has failed: {failed[0]}"
        return cause_of_end_after(await self._run.history(), {call["id"] for call in calls})


def _messages_in(state: Any) -> list[Any]:
    return list(state.values.get("messages") or ()) if isinstance(state.values, Mapping) else []


def _ends_with(known: Sequence[Any], given: Sequence[Any]) -> bool:
    """Whether the thread has the input of an earlier attempt."""
    said = [message.content for message in known if message.type == "human"]
    return bool(given) and said[-1:] == [given[-1].content]


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
