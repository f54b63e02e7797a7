"""agentscope 1.x: its streams and its messages."""

from __future__ import annotations

import unittest
from typing import Any

import golden
from agentscope.message import Msg

from agent_server import frameworks

NEVER_COMPLETED = "upstream opens a message for a medium and never completes it"
NEVER_LAST = "upstream leaves a message open that never says that it is complete, and loses it"
SECOND_CONTENT = "upstream writes the end of a text after a thought to a second content"

DIFFERENCES: golden.Differences = {
    "as_audio_base64": (NEVER_COMPLETED, [("message", "data:audio/wav;base64,QUJD")]),
    "as_audio_url": (NEVER_COMPLETED, [("message", "http://x/a.wav")]),
    "as_file_block": (NEVER_COMPLETED, [("message", "http://x/a.pdf")]),
    "as_image_base64": (NEVER_COMPLETED, [("message", "data:image/png;base64,QUJD")]),
    "as_image_base64_twice": (NEVER_COMPLETED, [("message", "data:image/png;base64,QUJD")]),
    "as_text_then_image": (NEVER_COMPLETED, [("message", "look:"), ("message", "data:image/png;base64,QUJD")]),
    "as_video_url": (NEVER_COMPLETED, [("message", "http://x/a.mp4")]),
    "as_text_never_last": (NEVER_LAST, [("message", "Hello")]),
    "as_text_last_empty_content": (NEVER_LAST, [("message", "Hello")]),
    "as_thinking_then_text": (SECOND_CONTENT, [("reasoning", "hmm"), ("message", "Hello!")]),
    "real_as_thinking_text": (SECOND_CONTENT, [("reasoning", "hmm"), ("message", "Hello")]),
    "as_react_flow": (
        SECOND_CONTENT,
        [
            ("reasoning", "plan"),
            ("message", "I'll search"),
            ("plugin_call", '{"q": "x"}'),
            ("plugin_call_output", '[{"type": "text", "text": "found"}]'),
            ("message", "The answer"),
        ],
    ),
    "as_str_content_two_msgs": (
        "upstream writes only the last of several messages whose content is a string",
        [("message", "first"), ("message", "second")],
    ),
    "as_text_after_tool_result_same_msg": (
        "upstream drops everything that follows a call in the same message",
        [("plugin_call", '{"a": 1}'), ("plugin_call_output", '[{"type": "text", "text": "r"}]'), ("message", "done")],
    ),
    "as_text_two_blocks_streaming": (
        "upstream keeps one prefix for all texts of a message, and mixes them up",
        [("message", "one"), ("message", "two")],
    ),
    "as_tool_result_null": (
        "upstream passes on that the name of the tool is missing; a name is a string",
        [("plugin_call_output", "null")],
    ),
}

FIRST_ONLY: golden.Differences = {
    "as_text_and_tool_use_one_chunk": (
        "upstream 1.0.2 loses calls that are complete in their first snapshot",
        [("message", "Let me see"), ("plugin_call", '{"q": "a"}')],
    ),
}


def item(recorded: Any) -> Any:
    """An item of a stream, as the recording has it."""
    if not isinstance(recorded, list) or not isinstance(recorded[0], dict):
        return recorded
    message, last = recorded
    made = Msg(message.get("name", "Friday"), message["content"], message["role"], metadata=message.get("metadata"))
    made.id = message["id"]
    if "usage" in message:
        made.usage = message["usage"]
    return made, last


def write(*items: Any) -> list[dict[str, Any]]:
    """The messages that are written for a stream of these items."""
    found, error = golden.ours({"framework": "agentscope", "framework_stream": list(items)}, item)
    if error is not None:
        raise error
    return found


def said(*blocks: Any, last: bool = False, id: str = "m1", **more: Any) -> Any:
    return [{"id": id, "role": "assistant", "content": list(blocks), **more}, last]


def text(value: str) -> dict[str, Any]:
    return {"type": "text", "text": value}


class Streams(unittest.TestCase):
    maxDiff = None

    def test_stream__of_every_recording__is_upstreams(self) -> None:
        for name in golden.names("as_", "real_as_"):
            with self.subTest(name):
                table = DIFFERENCES if name.startswith("v115/") else {**DIFFERENCES, **FIRST_ONLY}
                golden.compare(self, name, item, table)

    def summaries(self, *items: Any) -> list[tuple[str, ...]]:
        return [golden.summary(message) for message in write(*items)]

    def test_messages__interleaved__are_each_whole(self) -> None:
        found = self.summaries(
            said(text("a1"), id="a", name="A"),
            said(text("b1"), id="b", name="B"),
            said(text("a1 a2"), id="a", name="A", last=True),
            said(text("b1 b2"), id="b", name="B", last=True),
        )
        self.assertEqual(found, [("message", "a1 a2"), ("message", "b1 b2")])

    def test_message__that_never_ends__ends_before_its_speakers_next(self) -> None:
        found = self.summaries(said(text("one"), id="a"), said(text("two"), id="b"))
        self.assertEqual(found, [("message", "one"), ("message", "two")])

    def test_text__whose_end_is_trimmed__is_written_once(self) -> None:
        found = self.summaries(said(text("He")), said(text("Hello ")), said(text("Hello"), last=True))
        self.assertEqual(found, [("message", "Hello ")])

    def test_output__that_changes_after_its_end__is_written_again(self) -> None:
        def result(output: str, id: str = "m2") -> Any:
            return said({"type": "tool_result", "id": "c1", "name": "f", "output": output}, id=id, last=True)

        call = said({"type": "tool_use", "id": "c1", "name": "f", "input": {}}, last=True)
        found = self.summaries(call, result("1"), result("1"), result("12"))
        outputs = [("plugin_call_output", '"1"'), ("plugin_call_output", '"12"')]
        self.assertEqual(found, [("plugin_call", "{}"), *outputs])

    def test_call__whose_result_comes_before_its_end__is_written_first(self) -> None:
        call = {"type": "tool_use", "id": "c1", "name": "f", "input": {"a": 1}}
        result = {"type": "tool_result", "id": "c1", "output": "x"}
        found = write(said(call), said(result, id="m2", name="system", last=True), said(call, last=True))
        self.assertEqual([golden.summary(message)[0] for message in found], ["plugin_call", "plugin_call_output"])
        self.assertEqual(found[1]["content"][0]["data"]["name"], "f")

    def test_block__of_an_unknown_type__is_data(self) -> None:
        found = write(said({"type": "widget", "x": 1}, last=True))
        self.assertEqual(found[0]["content"], [{"type": "data", "data": {"type": "widget", "x": 1}}])

    def test_speech__of_an_item__is_an_audio_content(self) -> None:
        audio = {"type": "audio", "source": {"type": "base64", "media_type": "audio/wav", "data": "QUJD"}}
        message, _ = item(said(text("hi")))
        found, _ = golden.ours({"framework": "agentscope", "framework_stream": [0]}, lambda _: (message, True, audio))
        self.assertEqual([golden.summary(each)[1] for each in found], ["hi", "data:audio/wav;base64,QUJD"])

    def test_usage_and_metadata__of_a_message__are_written_once(self) -> None:
        thought = {"type": "thinking", "thinking": "hm"}
        usage = {"input_tokens": 3, "output_tokens": 4}
        found = write(said(thought), said(thought, text("hi"), last=True, usage=usage, metadata={"k": object}))
        counts = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
        self.assertEqual([message["usage"] for message in found if "usage" in message], [counts])
        self.assertIn("k", found[1]["metadata"])


NO_OUTPUT = '{"error": "The call has no output, because its run has ended before."}'
USER = {"type": "message", "role": "user"}


class Inputs(unittest.TestCase):
    maxDiff = None

    # Why a conversion differs, and the blocks of each message.
    DIFFERENCES: dict[str, tuple[str, list[Any]]] = {
        "as_in_err_audio_null": ("upstream makes a block without data", []),
        "as_in_err_call_no_id": (
            "upstream fails if a call has no id",
            [
                [{"type": "tool_use", "id": "call", "name": "f", "input": {}}],
                [{"type": "tool_result", "id": "call", "name": "f", "output": NO_OUTPUT}],
            ],
        ),
        "as_in_err_reasoning_empty": ("upstream fails if a thought is empty", []),
        "as_in_err_refusal": ("upstream fails at a refusal", [[text("no")]]),
        "as_in_err_text_null": ("upstream makes a block without a type", []),
        "as_in_grouping": (
            "upstream leaves calls without an output, which models refuse",
            [
                [text("a"), {"type": "tool_use", "id": "c1", "name": "f", "input": {}}],
                [{"type": "tool_result", "id": "c1", "name": "f", "output": NO_OUTPUT}],
                [text("b"), text("c")],
            ],
        ),
        "as_in_media": (
            "upstream's block for data has no type",
            [
                [
                    text("t"),
                    {"type": "image", "source": {"type": "url", "url": "http://x/a.png"}},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}},
                    {"type": "audio", "source": {"type": "url", "url": "http://x/a.wav"}},
                    {"type": "audio", "source": {"type": "base64", "media_type": "audio/wav", "data": "QUJD"}},
                    {"type": "audio", "source": {"type": "base64", "media_type": "audio/mp3", "data": "QUJD"}},
                    text('{"k": "值"}'),
                ]
            ],
        ),
        "as_in_reasoning": (
            "upstream uses only the first content of a thought",
            [[{"type": "thinking", "thinking": "thinkmore"}]],
        ),
    }

    def test_input__of_every_recording__is_upstreams(self) -> None:
        for path in sorted(golden.FOLDER.rglob("as_in_*.json")):
            with self.subTest(path.stem):
                case = golden.load(str(path.relative_to(golden.FOLDER).with_suffix("")))
                found = frameworks.read("agentscope", case["request"]["input"])
                difference = self.DIFFERENCES.get(path.stem)
                if difference is not None:
                    self.assertEqual([each.content for each in found], difference[1])
                else:
                    self.assertEqual([_plain(each) for each in found], [_wanted(each) for each in _saw(case)])

    def test_calls__made_at_once__are_one_message(self) -> None:
        def call(number: int) -> dict[str, Any]:
            data = {"call_id": f"c{number}", "name": "f", "arguments": "{}"}
            return {"type": "plugin_call", "role": "assistant", "content": [{"type": "data", "data": data}]}

        def output(number: int) -> dict[str, Any]:
            data = {"call_id": f"c{number}", "name": "f", "output": '"found"'}
            return {"type": "plugin_call_output", "role": "tool", "content": [{"type": "data", "data": data}]}

        found = frameworks.read("agentscope", [call(1), call(2), output(1), output(2)])
        self.assertEqual([len(each.content) for each in found], [2, 1, 1])
        self.assertEqual(found[1].content[0]["output"], "found")

    def test_output__in_the_form_of_mcp__has_blocks(self) -> None:
        image = '{"content": [{"type": "image", "data": "QUJD", "mimeType": "image/png"}], "isError": false}'
        data = {"call_id": "c1", "name": "f", "output": image}
        message = {"type": "mcp_call_output", "content": [{"type": "data", "data": data}]}
        found = frameworks.read("agentscope", [message])
        source = {"type": "base64", "media_type": "image/png", "data": "QUJD"}
        self.assertEqual(found[0].content[0]["output"], [{"type": "image", "source": source}])

    def test_files_and_videos__of_a_user__are_blocks(self) -> None:
        contents = [
            {"type": "video", "video_url": "http://x/a.mp4"},
            {"type": "file", "file_url": "http://x/a.pdf", "filename": "a.pdf"},
        ]
        (found,) = frameworks.read("agentscope", [{**USER, "content": contents}])
        self.assertEqual([block["type"] for block in found.content], ["video", "file"])


def _saw(case: dict[str, Any]) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = case["handler_msgs"]["msgs"]
    return messages


def _wanted(message: dict[str, Any]) -> dict[str, Any]:
    # Upstream leaves the role of an output without one to the default, and names and ids that it does not know out.
    is_output = message["content"][0]["type"] == "tool_result"
    role = "system" if is_output else message["role"]
    name = message["name"] or ("tool" if is_output else "assistant")
    return {"name": name, "role": role, "content": message["content"], "metadata": message["metadata"] or {}}


def _plain(message: Msg) -> dict[str, Any]:
    made: dict[str, Any] = message.to_dict()
    return {key: made[key] for key in ("name", "role", "content", "metadata")}


if __name__ == "__main__":
    unittest.main()
