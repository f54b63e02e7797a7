"""The memory of an agent of agentscope after a run that was cut off."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Iterator, Mapping, Sequence

from .._run import Run
from ._conversation import cause_of_end_after, no_output
from ._turns import Block, result

# What agentscope notes for a call that was cancelled, whoever has cancelled it.
_INTERRUPTED = "The tool call has been interrupted by the user."


async def complete(run: Run, memory: Any) -> None:
    """Gives each call in a saved memory of agentscope 1.x an output, because models refuse calls that have none.

    It says why the call was cut off.
    """
    content = memory.get("content") if isinstance(memory, dict) else None
    if not isinstance(content, list):
        return
    # Each entry is a message and its marks.
    messages = [entry[0] if isinstance(entry, (list, tuple)) else entry for entry in content]
    await explain(run, messages)
    answered = {block["id"] for message in messages for block in _blocks(message, "tool_result")}
    open_calls = [
        (place, block)
        for place, message in enumerate(messages)
        for block in _blocks(message, "tool_use")
        if block["id"] not in answered
    ]
    history = await run.history() if open_calls else []
    # From the end, so that the places before it stay.
    for place, block in reversed(open_calls):
        output = no_output(cause_of_end_after(history, {block["id"]}))
        blocks = [result(block["id"], block["name"], output)]
        made = import_module("agentscope.message").Msg("system", blocks, "system")
        content.insert(place + 1, [made.to_dict(), []])


async def explain(run: Run, messages: Sequence[Mapping[str, Any]]) -> None:
    """Names the true cause in the outputs that agentscope has made for calls that were cut off."""
    results = [block for message in messages for block in _blocks(message, "tool_result")]
    cut_off = [block for block in results if _is_cut_off(block["output"])]
    history = await run.history() if cut_off else []
    for block in cut_off:
        block["output"] = _explained(block["output"], cause_of_end_after(history, {block["id"]}))


def _is_cut_off(output: Any) -> bool:
    texts = [output] if isinstance(output, str) else [block.get("text") for block in output]
    return any(text and _INTERRUPTED in text for text in texts)


def _explained(output: Any, cause: str) -> Any:
    """An output with the true cause. What the tool has said before stays."""
    if isinstance(output, str):
        return output.replace(_INTERRUPTED, f"The call has ended early, because {cause}.")
    return [{**block, "text": _explained(block["text"], cause)} if block.get("text") else block for block in output]


def _blocks(message: Mapping[str, Any], kind: str) -> Iterator[Block]:
    """The blocks of this type in a message."""
    content = message.get("content")
    for block in content if isinstance(content, list) else ():
        if block.get("type") == kind:
            yield block
