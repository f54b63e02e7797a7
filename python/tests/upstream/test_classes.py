"""The classes that scripts of upstream import, compared with recordings of upstream."""

import inspect
import json
import re
import unittest
from pathlib import Path
from typing import Any, Iterator

import harness  # noqa: F401  (makes upstream's names importable)

from agentscope_runtime.engine.helpers import agent_api_client  # isort: skip
from agentscope_runtime.engine.helpers.agent_api_builder import ResponseBuilder  # isort: skip
from agentscope_runtime.engine.schemas import agent_schemas, exception, session  # isort: skip
from agentscope_runtime.engine.schemas.agent_schemas import Content, Message  # isort: skip

GOLDEN = Path(__file__).parents[3] / "tests/golden"


def lines(name: str) -> Iterator[dict[str, Any]]:
    for line in (GOLDEN / "classes" / f"{name}.jsonl").read_text("utf-8").splitlines():
        yield json.loads(line)


def plain(value: Any) -> Any:
    """A value as JSON, with generated ids and times replaced."""
    text = json.dumps(value, default=lambda model: model.model_dump(mode="json"))
    text = re.sub(r'"created_at": \d{6,}', '"created_at": "<ts>"', text)
    text = re.sub(r'"completed_at": \d{6,}', '"completed_at": "<ts>"', text)
    text = re.sub(r"response_[0-9a-f-]{36}", "<response_id>", text)
    ids: dict[str, str] = {}
    number = lambda found: ids.setdefault(found[0], f"<msg_id:{len(ids) + 1}>")  # noqa: E731
    return json.loads(re.sub(r"msg_[0-9a-f-]{36}", number, text))


class Classes(unittest.TestCase):
    maxDiff = None

    def test_fields__of_all_classes__are_those_of_upstream(self) -> None:
        recorded = json.loads((GOLDEN / "classes/schemas_fields.json").read_text("utf-8"))
        for module, classes in ((agent_schemas, recorded["agent_schemas"]), (session, recorded["session"])):
            for name, expected in classes.items():
                with self.subTest(name):
                    model = getattr(module, name)
                    self.assertEqual([*model.model_fields], [*expected["fields"]])
                    for field, shape in expected["fields"].items():
                        info = model.model_fields[field]
                        self.assertEqual(info.is_required(), shape["default"] == "<required>", field)
                        if not info.is_required() and not str(shape["default"]).startswith("<"):
                            self.assertEqual(info.default, shape["default"], field)

    def test_exceptions__with_their_arguments__have_codes_and_texts(self) -> None:
        seen = 0
        for case in lines("exceptions"):
            if "args" not in case:
                continue
            with self.subTest(case["class"]):
                kind = getattr(exception, case["class"])
                self.assertEqual(kind.__mro__[1].__name__, case["base"])
                names = [parameter.split(":")[0] for parameter in case["args"]]
                self.assertEqual([*inspect.signature(kind).parameters], names)
                error = kind(**case["called_with"])
                shown = {"str": str(error), "repr": repr(error), "to_dict": error.to_dict()}
                shown.update(status=error.status, code=error.code, message=error.message)
                self.assertEqual(shown, {key: case[key] for key in shown})
                ours = error.to_agent_error()
                self.assertEqual((str(ours), ours.code, ours.status), (error.message, error.code, error.status))
                seen += 1
        self.assertGreater(seen, 45)

    def test_deltas__of_every_kind__merge_as_recorded(self) -> None:
        for case in lines("fn_delta_semantics"):
            if "TypeError" in json.dumps(case["output"]):
                # Nulls count as empty here.
                continue
            with self.subTest(case["name"]):
                message = Message(id="msg_1", role="assistant", content=case["input"]["initial_content"])
                steps = [_step(message, step) for step in case["input"]["ops"]]
                for found, expected in zip(steps, case["output"]["steps"], strict=True):
                    if "error" in expected:
                        self.assertEqual(type(found).__name__, expected["error"]["type"])
                    else:
                        self.assertEqual(found, expected["returned"])
                if "message" in case["output"]:
                    self.assertEqual(message.model_dump(mode="json"), case["output"]["message"])

    def test_openai_messages__both_ways__are_as_recorded(self) -> None:
        functions = {
            "from_openai_message": Message.from_openai_message,
            "convert_to_openai_messages": lambda given: agent_schemas.convert_to_openai_messages(
                [Message(**message) for message in given]
            ),
        }
        for file, function in functions.items():
            for case in lines(f"fn_{file}"):
                if case["fn"] != file or "error" in case:
                    continue
                with self.subTest(case["name"]):
                    self.assertEqual(plain(function(case["input"])), case["output"])

    def test_chunks__of_chat_completions__become_contents(self) -> None:
        from types import SimpleNamespace

        for case in lines("fn_from_chat_completion_chunk"):
            with self.subTest(case["name"]):
                text = json.dumps(case["input"]["chunk"])
                chunk = json.loads(text, object_hook=lambda members: _Members(members))
                self.assertIsInstance(chunk, SimpleNamespace)
                found = Content.from_chat_completion_chunk(chunk, case["input"]["index"])
                self.assertEqual(plain(found), case["output"])

    def test_getters__return__what_upstream_returns(self) -> None:
        for case in lines("fn_message_getters"):
            with self.subTest(case["name"]):
                message = Message(**case["input"])
                found = {"text": message.get_text_content(), "images": message.get_image_content()}
                self.assertEqual({**found, "audios": message.get_audio_content()}, case["output"])

    def test_streaming_response__of_a_builder__is_as_recorded(self) -> None:
        for file, tokens, session_id in (("", ["Hello", " ", "World", "!"], "S"), ("_empty", [], None)):
            recorded = json.loads((GOLDEN / f"classes/fn_generate_streaming_response{file}.json").read_text("utf-8"))
            builder = ResponseBuilder(session_id)
            events = [event.model_dump(mode="json") for event in builder.generate_streaming_response(tokens)]
            self.assertEqual(plain(events), recorded["events"])

    def test_client__parses__lines_and_events(self) -> None:
        better = {"data:{\"a\":1}", "event:foo", "id:5", "retry:100"}
        for case in lines("fn_agent_api_client"):
            with self.subTest(case["fn"], name=case["name"]):
                if case["fn"] == "parse_sse_line" and case["input"] not in better:
                    self.assertEqual([*agent_api_client.parse_sse_line(case["input"])], case["output"])
                elif case["fn"] == "parse_event_from_json" and "loses" not in case["name"]:
                    self.assertEqual(plain(agent_api_client.parse_event_from_json(case["input"])), case["output"])
                elif case["fn"] == "create_simple_text_request":
                    request = agent_api_client.create_simple_text_request(**case["input"])
                    self.assertEqual(plain(request), case["output"])
                elif case["fn"] == "headers":
                    client = agent_api_client.HTTPAgentAPIClient("http://x", **case["input"])
                    self.assertEqual(client._prepare_headers(), case["output"])


class _Members:
    """A stand-in for OpenAI's objects: members that are absent are null."""

    def __new__(cls, members: dict[str, Any]) -> Any:
        from types import SimpleNamespace

        class Chunk(SimpleNamespace):
            def __getattr__(self, name: str) -> None:
                return None

        return Chunk(**members)


def _step(message: Any, step: dict[str, Any]) -> Any:
    try:
        if "content" in step:
            content = Message(content=[step["content"]]).content[0]
            returned = getattr(message, step["op"])(content)
        elif step["op"] == "content_completed":
            returned = message.content_completed(step["index"])
        elif step["op"] == "failed":
            error = step.get("error") or {"code": "c", "message": "m"}
            returned = message.failed(agent_schemas.Error(**error))
        else:
            returned = getattr(message, step["op"])()
    except Exception as error:
        return error
    return None if returned is None else returned.model_dump(mode="json")


if __name__ == "__main__":
    unittest.main()
