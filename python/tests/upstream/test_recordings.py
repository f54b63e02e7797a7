"""Handlers that upstream has recorded, with the builders that scripts get here."""

import asyncio
import builtins
import json
import re
import unittest
from pathlib import Path
from typing import Any, Iterator

from agent_server import AgentError
from agent_server.testing import ask_async

import harness  # noqa: F401  (makes upstream's names importable)

from agentscope_runtime.engine import Runner  # isort: skip
from agentscope_runtime.engine.helpers.agent_api_builder import ResponseBuilder  # isort: skip
from agentscope_runtime.engine.schemas import exception  # isort: skip
from agentscope_runtime.engine.schemas.agent_schemas import Message  # isort: skip
from agent_server.upstream._answer import agent_of  # isort: skip

FOLDER = Path(__file__).parents[3] / "tests/golden/protocol"


# As docs/compatibility.md lists them.
DIFFERENT_TEXTS: dict[str, Any] = {
    "text_none_chunk": ("completed", ["ab"], None),  # D10
    "text_empty_stream": ("completed", [], None),  # D65
    "v115/text_empty_stream": ("completed", [], None),  # D65
}


class Recorded(Runner):
    """Does the operations of a recording."""

    def __init__(self, operations: list[dict[str, Any]]) -> None:
        super().__init__()
        self.framework_type = "autogen"
        self.operations = operations

    async def query_handler(self, request: Any = None, **kwargs: Any) -> Any:
        builder = ResponseBuilder(session_id=request.session_id)
        objects: dict[str, Any] = {}
        for operation in self.operations:
            for event in self.step(builder, objects, operation):
                yield event

    def step(self, builder: Any, objects: dict[str, Any], operation: dict[str, Any]) -> Iterator[Any]:
        kind, of = operation["op"], objects.get(operation.get("of", ""))
        result = None
        if kind == "new_message":
            made = objects[operation["as"]] = builder.create_message_builder(**operation["args"])
            result = made.get_message_data()
        elif kind == "new_content":
            result = objects[operation["as"]] = of.create_content_builder(operation["content_type"])
        elif kind == "set_field":
            setattr(of.get_message_data(), operation["field"], operation["value"])
        elif kind == "raise":
            raise getattr(exception, operation["exc"]["type"])(*operation["exc"]["args"])
        elif kind == "raw_message":
            result = Message(**operation["value"])
            result.status = operation.get("status", result.status)
        elif kind == "raw_content":
            result = Message(content=[operation["value"]]).content[0]
        elif kind == "generate_streaming_response":
            yield from builder.generate_streaming_response(operation["tokens"])
        else:
            result = getattr(of, kind)(*operation["args"])
        if operation.get("yield"):
            yield result


class Spoken(Runner):
    """Says the texts of a recording, as the kind of function that was recorded."""

    framework_type = "text"

    def __init__(self, handler: dict[str, Any]) -> None:
        super().__init__()
        self.steps = handler["steps"]
        of_kind = {"function": self.function, "sync_gen": self.generator, "coroutine": self.coroutine}
        self.query_handler = of_kind.get(handler["kind"], self.async_generator)  # type: ignore[method-assign]

    def generator(self, **kwargs: Any) -> Iterator[Any]:
        for step in self.steps:
            if "raise" in step:
                kind = step["raise"]["type"]
                error = getattr(exception, kind, None) or getattr(builtins, kind)
                raise error(*step["raise"]["args"], **step["raise"].get("kwargs", {}))
            yield step["yield"]

    async def async_generator(self, **kwargs: Any) -> Any:
        for item in self.generator():
            yield item

    def function(self, **kwargs: Any) -> Any:
        return next(self.generator())

    async def coroutine(self, **kwargs: Any) -> Any:
        return next(self.generator())


class Recordings(unittest.TestCase):
    maxDiff = None

    def test_texts__of_every_recorded_handler__are_the_same(self) -> None:
        seen = 0
        for file in sorted(FOLDER.rglob("text_*.json")):
            case = json.loads(file.read_text("utf-8"))
            name = str(file.relative_to(FOLDER).with_suffix(""))
            if "steps" not in (case.get("handler") or {}):
                continue
            with self.subTest(name):
                seen += 1
                ours, theirs = _end(asyncio.run(_events(case))), _end(case["events"])
                self.assertEqual(ours, DIFFERENT_TEXTS.get(name, theirs))
                self.assertNotEqual(theirs, DIFFERENT_TEXTS.get(name), "it is listed as different, and is not")
        self.assertGreaterEqual(seen, 30)

    def test_events__of_every_recorded_handler__are_the_same(self) -> None:
        seen = 0
        for file in sorted(FOLDER.glob("native_*.json")):
            case = json.loads(file.read_text("utf-8"))
            if "ops" not in case.get("handler", {}) or "unsupported" in file.name:
                # Upstream's builders refuse video, and these do not.
                continue
            with self.subTest(file.stem):
                seen += 1
                # Upstream's own two events come first, and its final one last.
                self.assertEqual(_shown(self.events(case)), _shown(case["events"][2:-1]))
        self.assertGreaterEqual(seen, 12)

    def events(self, case: dict[str, Any]) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = []

        async def collected() -> None:
            def received(run: Any) -> Any:
                run._send_bytes = lambda kind, part, payload: events.append(json.loads(payload))
                return agent_of(Recorded(case["handler"]["ops"]))(run)

            await ask_async(received, "hello")

        try:
            asyncio.run(collected())
        except AgentError as error:
            self.assertEqual(error.code, case["events"][-1]["error"]["code"])
        except ValueError as error:
            self.assertIn(str(error), case["events"][-1]["error"]["message"])
        return events


async def _events(case: dict[str, Any]) -> list[dict[str, Any]]:
    async with Spoken(case["handler"]) as runner:
        return [event.model_dump(mode="json") async for event in runner.stream_query(case["request"])]


def _end(events: list[dict[str, Any]]) -> Any:
    """What a response says at its end: its status, its texts, and its error."""
    last = events[-1]
    texts = [content["text"] for message in last["output"] or [] for content in message["content"]]
    return last["status"], texts, last["error"]


def _shown(events: list[dict[str, Any]]) -> Any:
    """The events without numbers and times, and with ids in the order in which they appear."""
    text = json.dumps(events)
    text = re.sub(r'"(sequence_number|created_at|completed_at)": [^,}]+', r'"\1": 0', text)
    text = re.sub(r'"session_id": "[^"]*"', '"session_id": 0', text)
    ids: dict[str, str] = {}
    pattern = r"(msg|response)_[0-9a-f-]{36}|<(msg|response)_id[:0-9]*>"
    return json.loads(re.sub(pattern, lambda found: ids.setdefault(found[0], f"id{len(ids)}"), text))


if __name__ == "__main__":
    unittest.main()
