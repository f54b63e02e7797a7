"""A run that records what is written to it, and the recordings of upstream to compare it with."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, AsyncIterator, Callable, Coroutine

from agent_server import Run, _wire

GOLDEN = Path(__file__).parents[3] / "tests/golden/frameworks"


class Recorder:
    """Records the messages of a run, in the order in which they are closed."""

    def __init__(self) -> None:
        self.closed: list[dict[str, Any]] = []
        self.opened: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self._open: dict[int, dict[str, Any]] = {}
        self._decoder = _wire.Decoder()
        start = {"id": "run_1", "agent": "a", "user_id": "u", "session_id": "s", "request": {"input": []}}
        self.run = Run(1, start, self._receive, 1 << 60)

    def _receive(self, data: bytes) -> None:
        for frame in self._decoder.feed(data):
            if frame.kind == _wire.OPEN:
                opening = frame.json()
                message = self._open[frame.part] = {"text": "", "contents": [], **opening}
                message["of"] = message.pop("output", None)
                self.opened.append(message)
            elif frame.kind == _wire.TEXT:
                self._open[frame.part]["text"] += frame.payload.decode()
            elif frame.kind == _wire.PUT:
                self._open[frame.part]["contents"].append(frame.json())
            elif frame.kind == _wire.DATA:
                self._open[frame.part].setdefault("data", {}).update(frame.json())
            elif frame.kind == _wire.CLOSE:
                message = self._open.pop(frame.part)
                self.closed.append({**message, **frame.json()})
            elif frame.kind == _wire.EVENT:
                self.events.append(frame.json())

    @property
    def messages(self) -> list[tuple[Any, ...]]:
        """The complete messages: type, role, and contents."""
        return [_message(message) for message in self.closed]

    @property
    def deltas(self) -> list[str]:
        """The streamed text of each message, in the order in which they were opened."""
        texts = [message["text"] for message in self.opened if "kind" in message]
        return [text for text in texts if text]

    @property
    def usage(self) -> list[dict[str, int]]:
        """The usage of the messages that have some."""
        return [message["usage"] for message in self.closed if message.get("usage")]


def _message(message: dict[str, Any]) -> tuple[Any, ...]:
    if call := message.get("call"):
        return ("plugin_call", "assistant", {"call_id": call["id"], "name": call["name"], "arguments": message["text"]})
    if of := message["of"]:
        return ("plugin_call_output", "tool", {"call_id": of["id"], "name": of["name"], "output": message["output"]})
    contents = [message["text"]] if message["text"] else []
    contents += [{key: value for key, value in content.items() if value is not None} for content in message["contents"]]
    contents += [message["data"]] if "data" in message else []
    return (message["kind"], message["role"], *contents)


def record(write: Callable[..., Any], items: Any, recorder: Recorder | None = None) -> Recorder:
    """Writes items, of a list or of an async generator, to a recorded run."""
    recorder = recorder or Recorder()

    async def stream() -> AsyncIterator[Any]:
        for item in items:
            yield item

    asyncio.run(write(recorder.run, items if hasattr(items, "__aiter__") else stream()))
    return recorder


async def cancel_once(started: asyncio.Event, answer: Coroutine[Any, Any, Any]) -> int:
    """Cancels an answer once it has started, and returns how many tasks are left."""
    before = asyncio.all_tasks()
    task = asyncio.create_task(answer)
    await started.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    # Tasks that were told to stop take a few rounds of the loop.
    for _ in range(10):
        await asyncio.sleep(0)
    return len(asyncio.all_tasks() - before)


class Recording:
    """What upstream has made of a stream."""

    def __init__(self, path: Path) -> None:
        case = json.loads(path.read_text("utf-8"))
        self.name = path.stem
        self.steps: list[Any] = case["handler"]["steps"] if "handler" in case else []
        self.framework_stream: list[Any] = case.get("framework_stream") or []
        self.request, self.handler_msgs = case["request"], (case.get("handler_msgs") or {}).get("msgs")
        self.events = case["events"]
        self.has_failed = bool(self.events) and self.events[-1]["status"] == "failed"

    @property
    def messages(self) -> list[tuple[Any, ...]]:
        """The complete messages: type, role, and contents."""
        messages = [event for event in self.events if event["object"] == "message" and event["status"] == "completed"]
        return [
            (message["type"], message["role"], *(_content(content) for content in message["content"] or []))
            for message in messages
        ]

    @property
    def deltas(self) -> list[str]:
        """The streamed text of each message, in the order in which they were opened."""
        texts: dict[str, str] = {}
        for event in self.events:
            if event["object"] == "content" and event["type"] == "text" and event["status"] == "in_progress":
                texts[event["msg_id"]] = texts.get(event["msg_id"], "") + event["text"]
        return list(texts.values())


def _content(content: dict[str, Any]) -> Any:
    if content["type"] == "text":
        return content["text"]
    return content.get("data") or content


def recordings(pattern: str) -> list[Recording]:
    """The recordings of this pattern below the folder of recordings."""
    found = [Recording(path) for path in sorted(GOLDEN.glob(pattern))]
    if not found:
        raise AssertionError(f"there are no recordings {GOLDEN / pattern}")
    return found
