"""The memory of an agent of agentscope 1.x after a run that was cut off."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Iterator

from .._run import Run
from ._conversation import cause_of_end_after, no_output
from ._turns import Block, result

# What agentscope notes for a call that was cancelled, whoever has cancelled it.
_INTERRUPTED = "The tool call has been interrupted by the user."


async def complete(run: Run, memory: Any) -> None:
    """Gives each call in a saved memory an output that says why it was cut off, because models refuse calls without."""
    content = memory.get("content") if isinstance(memory, dict) else None
    if not isinstance(content, list):
        return
    results = {block["id"]: block for entry in content for block in _blocks(entry, "tool_result")}
    cut_off = {call_id for call_id, block in results.items() if _INTERRUPTED in str(block["output"])}
    open_calls = [
        (place, block)
        for place, entry in enumerate(content)
        for block in _blocks(entry, "tool_use")
        if block["id"] not in results
    ]
    if not cut_off and not open_calls:
        return
    history = await run.history()
    for call_id in cut_off:
        results[call_id]["output"] = _explained(results[call_id]["output"], cause_of_end_after(history, {call_id}))
    # From the end, so that the places before it stay.
    for place, block in reversed(open_calls):
        output = no_output(cause_of_end_after(history, {block["id"]}))
        blocks = [result(block["id"], block["name"], output)]
        made = import_module("agentscope.message").Msg("system", blocks, "system")
        content.insert(place + 1, [made.to_dict(), []])


def _explained(output: Any, cause: str) -> Any:
    """An output with the true cause. What the tool has said before stays."""
    if isinstance(output, str):
        return output.replace(_INTERRUPTED, f"The call has ended early, because {cause}.")
    return [{**block, "text": _explained(block["text"], cause)} if "text" in block else block for block in output]


def _blocks(entry: Any, kind: str) -> Iterator[Block]:
    """The blocks of this type in an entry, which is a message, or a message and its marks."""
    message = entry[0] if isinstance(entry, (list, tuple)) else entry
    content = message.get("content")
    for block in content if isinstance(content, list) else ():
        if block.get("type") == kind:
            yield block
