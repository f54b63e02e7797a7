"""Recordings of upstream, and what an adapter writes for the same items."""

from __future__ import annotations

import asyncio
import builtins
import json
import unittest
from pathlib import Path
from typing import Any, AsyncIterator, Callable, Mapping

from agent_server import Run, _wire
from agent_server.frameworks import write

FOLDER = Path(__file__).parents[3] / "tests/golden/frameworks"

# For a recording: why the adapter differs, the messages that it writes, and a part of the exception that it raises.
Differences = Mapping[str, "tuple[str, list[tuple[str, ...]]] | tuple[str, list[tuple[str, ...]], str]"]

_MEMBERS = ("type", "text", "data", "image_url", "video_url", "file_url", "file_data", "filename", "format")


def load(name: str) -> dict[str, Any]:
    """A recording. Those of 1.1.5 are in a folder of their own."""
    case: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return case


def names(*prefixes: str) -> list[str]:
    """The recordings of a framework's streams, of both versions."""
    paths = [path for path in FOLDER.rglob("*.json") if path.stem.startswith(prefixes) and "_in_" not in path.stem]
    return sorted(str(path.relative_to(FOLDER).with_suffix("")) for path in paths)


def upstreams(case: dict[str, Any]) -> list[dict[str, Any]]:
    """The complete messages of upstream's response, and the text that its deltas have together."""
    messages = []
    for event in case["events"]:
        if event["object"] == "message" and event["status"] == "completed":
            message = {key: event[key] for key in ("type", "role", "usage", "metadata") if event[key]}
            message["content"] = [_content(content) for content in event["content"] or []]
            deltas = [each for each in case["events"] if each.get("msg_id") == event["id"] and each["delta"]]
            message["deltas"] = "".join(each.get("text") or "" for each in deltas)
            messages.append(message)
    return messages


def ours(case: dict[str, Any], make: Callable[[Any], Any]) -> tuple[list[dict[str, Any]], BaseException | None]:
    """The messages that the adapter writes and closes, and the exception that it raises."""
    steps = (case.get("handler") or {}).get("steps") or [{"yield": each} for each in case.get("framework_stream", [])]

    async def items() -> AsyncIterator[Any]:
        for step in steps:
            if "raise" in step:
                raise getattr(builtins, step["raise"]["type"])(*step["raise"]["args"])
            yield make(step["yield"])

    recorder = Recorder()
    try:
        asyncio.run(write(recorder.run, case["framework"], items()))
    except Exception as error:
        return recorder.closed, error
    assert not recorder.open, f"left open: {recorder.open}"
    return recorder.closed, None


def summary(message: dict[str, Any]) -> tuple[str, ...]:
    """A message in short: its type, and what its contents say."""
    said = []
    for content in message["content"]:
        data = content.get("data")
        values = data if isinstance(data, dict) else content
        keys = ("text", "arguments", "output", "data", "image_url", "video_url", "file_url")
        said.append(next(str(values[key]) for key in keys if key in values))
    return message["type"], *said


class Recorder:
    """Takes the frames of a run, and makes them messages as the server does."""

    def __init__(self) -> None:
        start = {"id": "run", "agent": "test", "user_id": "user", "session_id": "session", "request": {}}
        self.run = Run(1, start, self._receive, 1 << 60)
        self.open: dict[int, dict[str, Any]] = {}
        self.closed: list[dict[str, Any]] = []
        self._decoder = _wire.Decoder()

    def _receive(self, data: bytes) -> None:
        for frame in self._decoder.feed(data):
            if frame.kind == _wire.OPEN:
                self.open[frame.part] = _opened(frame.json())
            elif frame.kind == _wire.TEXT:
                self._text(self.open[frame.part], frame.payload.decode())
            elif frame.kind == _wire.PUT:
                self.open[frame.part]["content"].append(_content(frame.json()))
            elif frame.kind == _wire.CLOSE:
                self._close(frame.part, frame.json())

    def _text(self, message: dict[str, Any], delta: str) -> None:
        if message["type"].endswith("_call"):
            message["content"][0]["data"]["arguments"] += delta
            return
        if not message["content"] or message["content"][-1]["type"] != "text":
            message["content"].append({"type": "text", "text": ""})
        message["content"][-1]["text"] += delta
        message["deltas"] += delta

    def _close(self, part: int, closing: dict[str, Any]) -> None:
        message = self.open.pop(part)
        message.update({key: closing[key] for key in ("usage", "metadata") if key in closing})
        if message["type"] == "plugin_call_output":
            message["content"][0]["data"]["output"] = closing["output"]
        self.closed.append(message)


def _opened(what: dict[str, Any]) -> dict[str, Any]:
    if "call" in what:
        data = {"call_id": what["call"]["id"], "name": what["call"]["name"], "arguments": ""}
        return {"type": "plugin_call", "role": "assistant", "content": [{"type": "data", "data": data}], "deltas": ""}
    if "output" in what:
        data = {"call_id": what["output"]["id"], "name": what["output"]["name"], "output": ""}
        return {"type": "plugin_call_output", "role": "tool", "content": [{"type": "data", "data": data}], "deltas": ""}
    return {"type": what["kind"], "role": what["role"], "content": [], "deltas": ""}


def compare(test: unittest.TestCase, name: str, make: Callable[[Any], Any], differences: Differences) -> None:
    """Fails unless the adapter writes what upstream does, or what the table says."""
    case = load(name)
    found, error = ours(case, make)
    wanted = upstreams(case)
    fails = case["events"][-1]["status"] == "failed"
    listed = differences.get(name) or differences.get(Path(name).name)
    if listed is None:
        test.assertEqual(found, wanted)
        test.assertEqual(error is not None, fails, f"{error!r}")
    else:
        differ = found != wanted or (error is not None) != fails
        test.assertTrue(differ, "it is listed as different, and is not")
        test.assertEqual([summary(message) for message in found], listed[1])
        test.assertIn(listed[2] if len(listed) > 2 else "", f"{error!r}")


def _content(content: dict[str, Any]) -> dict[str, Any]:
    return {key: content[key] for key in _MEMBERS if content.get(key) is not None}
