"""What upstream's adapter makes of a LangGraph stream, and what ours does."""

import unittest
from typing import Any

from langchain_core import messages as langchain

from agent_server.frameworks import langgraph
from recorder import Recorder, Recording, record, recordings

CALL = ("plugin_call", "assistant", {"call_id": "c1", "name": "f", "arguments": '{"a": 1}'})
OUTPUT = ("plugin_call_output", "tool", {"call_id": "c1", "name": "f", "output": "r1"})
CALL_2 = ("plugin_call", "assistant", {"call_id": "c2", "name": "g", "arguments": '{"b": 2}'})
OUTPUT_2 = ("plugin_call_output", "tool", {"call_id": "c2", "name": "g", "output": "r2"})


def search(call_id: str, arguments: str, output: str) -> list[Any]:
    """A call of `search` and its output."""
    call = {"call_id": call_id, "name": "search", "arguments": arguments}
    result = {"call_id": call_id, "name": "search", "output": output}
    return [("plugin_call", "assistant", call), ("plugin_call_output", "tool", result)]


ENCODED_TWICE = "version 1.0.2 encodes arguments and outputs twice"
EMPTY = "it opens a message for an empty one and never closes it"
DIFFERENCES: dict[str, tuple[str, list[Any]]] = {
    "lg_full_ai_message_tool_calls": (
        "each call is a message of its own, and its arguments are not escaped; version 1.0.2 fails",
        [
            ("plugin_call", "assistant", {"call_id": "c1", "name": "f", "arguments": '{"a": "é"}'}),
            ("plugin_call", "assistant", {"call_id": "c2", "name": "g", "arguments": "{}"}),
        ],
    ),
    "lg_system": ("it never closes the message of a system", [("message", "system", "sys")]),
    "lg_text_never_last": (
        "it never closes a message whose last piece is not marked",
        [("message", "assistant", "Hello")],
    ),
    "lg_text_no_id": ("it fails if a message has no id", [("message", "assistant", "AB")]),
    "lg_text_then_tool_call_chunks": (
        "it fails if a message has both text and calls",
        [
            ("message", "assistant", "Let me see"),
            ("plugin_call", "assistant", {"call_id": "c1", "name": "search", "arguments": '{"q": 1}'}),
        ],
    ),
    "lg_tool_call_in_last_chunk": ("it loses a call that is in the last piece", [CALL]),
    "lg_tool_call_never_last": ("it loses a call whose last piece is not marked", [CALL]),
    "lg_two_rounds_of_tool_calls": (
        "it joins the calls of the second round with those of the first",
        [CALL, OUTPUT, CALL_2, OUTPUT_2],
    ),
    "real_lg_two_rounds": (
        "it joins the calls of the second round with those of the first",
        [
            *search("c1", '{"q": "x"}', "found x"),
            *search("c2", '{"q": "y"}', "found y"),
            ("message", "assistant", "done"),
        ],
    ),
}
DIFFERENCES_TO_1_0: dict[str, tuple[str, list[Any]]] = {
    "lg_full_ai_message": ("it fails if a message is whole", [("message", "assistant", "Hello")]),
    "lg_tool_call_chunks": (
        ENCODED_TWICE,
        [*search("c1", '{"q": "杭州"}', "found"), ("message", "assistant", "The answer")],
    ),
    "real_lg_tool": (
        ENCODED_TWICE,
        [*search("c1", '{"q": "x"}', "found x"), ("message", "assistant", "The answer")],
    ),
}


class Recordings(unittest.TestCase):
    def test_streams__of_version_1_1__are_written_alike(self) -> None:
        for recording in [*recordings("v115/lg_*.json"), *recordings("v115/real_lg_*.json")]:
            self.compare(recording, DIFFERENCES)

    def test_streams__of_version_1_0__are_written_alike(self) -> None:
        for recording in [*recordings("lg_*.json"), *recordings("real_lg_*.json")]:
            self.compare(recording, {**DIFFERENCES, **DIFFERENCES_TO_1_0})

    def compare(self, recording: Recording, differences: dict[str, tuple[str, list[Any]]]) -> None:
        if recording.name.startswith("lg_in_"):
            return
        with self.subTest(recording.name):
            recorder, failure = self.replay(recording)
            if recording.name in differences:
                reason, expected = differences[recording.name]
                self.assertIsNone(failure)
                self.assertEqual(recorder.messages, expected, reason)
                self.assertNotEqual(recorder.messages, recording.messages, "this is no difference any more")
            else:
                self.assertEqual(failure is not None, recording.has_failed)
                self.assertEqual(recorder.messages, recording.messages)
                self.assertEqual(recorder.deltas, recording.deltas)

    def replay(self, recording: Recording) -> tuple[Recorder, Exception | None]:
        """Writes the items of the recording, and returns what was written and what was raised."""
        steps: list[Any] = [{"yield": item} for item in with_call_ids(recording.framework_stream)] or recording.steps
        recorder = Recorder()

        async def items() -> Any:
            for step in steps:
                if "raise" in step:
                    raise RuntimeError(*step["raise"]["args"])
                yield item_of(step["yield"])

        try:
            record(langgraph.write, items(), recorder)
        except (RuntimeError, TypeError) as error:
            return recorder, error
        return recorder, None


def with_call_ids(items: list[Any]) -> list[Any]:
    """What a framework streamed, with the ids that the recording of its outputs lacks."""
    call_id = None
    for message, _ in items:
        for piece in message["tool_call_chunks"] or ():
            call_id = piece["id"] or call_id
        if message["class"] == "ToolMessage":
            message["tool_call_id"] = call_id
    return items


def item_of(item: Any) -> Any:
    """The item that was recorded."""
    if isinstance(item, dict):
        return item
    fields = {key: value for key, value in item[0].items() if value is not None and key not in ("class", "node")}
    return getattr(langchain, item[0]["class"])(**fields), item[1]


class Inputs(unittest.TestCase):
    def test_calls__and_outputs__become_messages_of_langchain(self) -> None:
        (recording,) = recordings("v115/lg_in_plugin.json")
        read = langgraph.read(recording.request["input"])
        self.assertEqual([message.type for message in read], ["ai", "tool", "tool", "tool"])
        self.assertEqual((read[0].tool_calls[0]["name"], read[0].tool_calls[0]["args"]), ("f", {"a": 1}))
        # Upstream makes a list of texts of a list.
        self.assertEqual([message.content for message in read[1:]], ["plain", "[1, 2]", "5"])

    def test_media__in_the_input__become_blocks(self) -> None:
        (recording,) = recordings("v115/lg_in_media.json")
        read = langgraph.read(recording.request["input"])
        image = {"type": "image_url", "image_url": {"url": "http://x"}}
        self.assertEqual(read[0].content[1], image)
        self.assertEqual("".join(block.get("text", "") for block in read[0].content), 'a{"k": 1}b')
        self.assertEqual(read[1].content, [image])
        self.assertEqual(read[2].content[0]["input_audio"], {"data": "AA", "format": "wav"})
        self.assertEqual([(message.type, message.content) for message in read[3:]], [("human", ""), ("tool", "t")])

    def test_calls_of_mcp__and_null__are_read(self) -> None:
        for name in ("lg_in_mcp", "lg_in_null_args", "lg_in_text_null"):
            (recording,) = recordings(f"v115/{name}.json")
            read = langgraph.read(recording.request["input"])
            if name == "lg_in_text_null":
                self.assertEqual([message.content for message in read], [""])
            else:
                self.assertEqual([message.type for message in read], ["ai", "tool"])
                self.assertEqual(read[1].status, "error" if name == "lg_in_null_args" else "success")


if __name__ == "__main__":
    unittest.main()
