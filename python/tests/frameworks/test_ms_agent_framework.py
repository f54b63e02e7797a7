"""Agents of Microsoft Agent Framework that answer runs, and what upstream's adapter makes of their streams."""

import unittest
from typing import Any, AsyncIterator

import agent_framework

from agent_server import AgentError
from agent_server.frameworks import ms_agent_framework
from agent_server.testing import Answer, ask
from recorder import Recorder, record, recordings

IS_OLD = hasattr(agent_framework, "ChatMessage")
CLIENT = agent_framework.BaseChatClient
UPDATE: Any = agent_framework.AgentRunResponseUpdate if IS_OLD else agent_framework.AgentResponseUpdate


def content(kind: str, **fields: Any) -> Any:
    """A content, in the form of either version."""
    if IS_OLD:
        parsed: Any = agent_framework.ChatMessage(role="assistant", contents=[{"type": kind, **fields}]).contents[0]
    else:
        parsed = agent_framework.Content.from_dict({"type": kind, **fields})
    return parsed


def of_recording(recorded: dict[str, Any]) -> Any:
    """A content that was recorded."""
    fields = dict(recorded)
    kind = fields.pop("k")
    names = {"reasoning": "text_reasoning", "call": "function_call", "result": "function_result"}
    if kind == "usage":
        fields = {"details" if IS_OLD else "usage_details": fields}
    if kind == "data":
        fields["media_type"] = "image/png"
    if kind == "error" and not IS_OLD:
        fields["error_details"] = fields.pop("details")
    return content(names.get(kind, kind), **fields)


CALL = ("plugin_call", "assistant", {"call_id": "c1", "name": "f", "arguments": '{"a": 1}'})
DONE = ("message", "assistant", "done")


def output(name: str, text: str) -> tuple[Any, ...]:
    return ("plugin_call_output", "tool", {"call_id": "c1", "name": name, "output": text})


DIFFERENCES: dict[str, tuple[str, list[Any]]] = {
    "ms_data": (
        "it fails at data",
        [("message", "assistant", "look", {"type": "image", "image_url": "data:image/png;base64,QUJD"})],
    ),
    "ms_image_uri": (
        "it fails at addresses",
        [("message", "assistant", "look", {"type": "image", "image_url": "http://x/a.png"})],
    ),
    "ms_image_uri_first": (
        "it fails at addresses",
        [("message", "assistant", {"type": "image", "image_url": "http://x/a.png"})],
    ),
    "ms_reasoning_then_text": (
        "it closes reasoning after the text that follows it",
        [("reasoning", "assistant", "think"), ("message", "assistant", "Hello")],
    ),
    "ms_result_object": ("an output without a call has no name, instead of null", [output("", '{"t": "é"}')]),
    "ms_text_and_tool": ("it closes calls without content", [("message", "assistant", "Let me see"), CALL]),
    "ms_tool_single": ("it loses the first call, and quotes outputs", [CALL, output("f", "ok"), DONE]),
    "ms_tool_stream": ("it makes a call of each piece", [CALL, output("f", '{"t": 25}'), DONE]),
    "ms_tool_two_updates": ("it closes calls without content", [CALL]),
}


class Texts(unittest.TestCase):
    @unittest.skipIf(IS_OLD, "the old version has no repetitions")
    def test_content__that_is_repeated_at_its_end__is_written_once(self) -> None:
        pieces = [("text_reasoning", "hm", "append"), ("text_reasoning", "hm", "replace")]
        pieces += [("text", "He", "append"), ("text", "y", "append"), ("text", "Hey", "replace")]
        pieces += [("text", " you", "replace")]
        updates = [
            UPDATE(contents=[content(kind, text=text, merge_mode=mode)], role="assistant", message_id="m")
            for kind, text, mode in pieces
        ]
        for arguments, mode in (("", None), ('{"a"', "append"), (": 1}", "append"), ('{"a": 1}', "replace")):
            call = content("function_call", call_id="c1", name="f", arguments=arguments, merge_mode=mode)
            updates.append(UPDATE(contents=[call], role="assistant", message_id="m"))
        recorder = record(ms_agent_framework.write, updates)
        self.assertEqual(
            [(message[0], message[2]) for message in recorder.messages],
            [("reasoning", "hm"), ("message", "Hey you"), ("plugin_call", CALL[2])],
        )


class Recordings(unittest.TestCase):
    def test_streams__of_upstream__are_written_alike(self) -> None:
        for recording in recordings("v115/ms_*.json"):
            if recording.name.startswith("ms_in_"):
                continue
            with self.subTest(recording.name):
                recorder, failure = self.replay(recording.steps)
                if recording.name in DIFFERENCES:
                    reason, expected = DIFFERENCES[recording.name]
                    self.assertIsNone(failure)
                    self.assertEqual(recorder.messages, expected, reason)
                    self.assertNotEqual(recorder.messages, recording.messages, "this is no difference any more")
                else:
                    self.assertEqual(failure is not None, recording.has_failed)
                    self.assertEqual(recorder.messages, recording.messages)
                if not recording.name.startswith("ms_tool"):
                    self.assertEqual(recorder.deltas, recording.deltas)

    def replay(self, steps: list[Any]) -> tuple[Recorder, Exception | None]:
        """Writes the recorded updates, and returns what was written and what was raised."""
        recorder = Recorder()

        async def updates() -> AsyncIterator[Any]:
            for step in steps:
                if "raise" in step:
                    raise RuntimeError(*step["raise"]["args"])
                item = step["yield"]
                if isinstance(item, dict):
                    contents = [of_recording(recorded) for recorded in item["contents"]]
                    item = UPDATE(contents=contents, message_id=item["message_id"])
                yield item

        try:
            record(ms_agent_framework.write, updates(), recorder)
        except (RuntimeError, TypeError, AgentError) as error:
            return recorder, error
        return recorder, None

    def test_usage__of_an_update__is_that_of_the_message(self) -> None:
        (recording,) = recordings("v115/ms_text_usage.json")
        recorder, _ = self.replay(recording.steps)
        self.assertEqual(recorder.usage, [{"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}])

    def test_error__of_an_update__is_seen_by_the_client(self) -> None:
        (recording,) = recordings("v115/ms_error_content.json")
        _, failure = self.replay(recording.steps)
        assert isinstance(failure, AgentError)
        self.assertEqual((failure.code, str(failure)), ("EC", "m"))

    def test_inputs__of_every_kind__are_read(self) -> None:
        (history,) = recordings("v115/ms_in_history.json")
        read = ms_agent_framework.read(history.request["input"])
        for ours, upstream in zip(read, history.handler_msgs, strict=True):
            self.assertEqual(getattr(ours.role, "value", ours.role), upstream["role"]["value"])
            (found,), (expected,) = ours.contents, upstream["contents"]
            for name in expected.keys() - {"result"}:
                self.assertEqual(getattr(found, name), expected[name])
        kinds = {"image": ["uri"], "audio": ["uri"], "data": ["text"], "file": ["uri"], "refusal": ["text"]}
        for name, expected in kinds.items():
            (recording,) = recordings(f"v115/ms_in_{name}.json")
            (message,) = ms_agent_framework.read(recording.request["input"])
            self.assertEqual([found.type for found in message.contents], expected)
        sound = {"type": "audio", "data": "QUJD", "format": "mp3"}
        (message,) = ms_agent_framework.read([{"role": "user", "content": [sound]}])
        self.assertEqual(message.contents[0].uri, "data:audio/mp3;base64,QUJD")


class ScriptedClient(CLIENT):  # type: ignore[misc, valid-type]
    """Streams the next contents."""

    async def updates(self, messages: Any) -> AsyncIterator[Any]:
        contents = self.script[len(self.seen)]
        self.seen.append(list(messages))
        for found in contents:
            yield agent_framework.ChatResponseUpdate(
                contents=[found], role="assistant", message_id=f"m{len(self.seen)}"
            )

    async def _inner_get_streaming_response(self, *, messages: Any, **_: Any) -> AsyncIterator[Any]:
        async for update in self.updates(messages):
            yield update

    def _inner_get_response(self, *, messages: Any, **_: Any) -> Any:
        finish = agent_framework.ChatResponse.from_updates
        return agent_framework.ResponseStream(self.updates(messages), finalizer=finish)


if IS_OLD:
    ScriptedClient = agent_framework.use_function_invocation(ScriptedClient)
    agent_of, tool = agent_framework.ChatAgent, agent_framework.ai_function
else:

    class ScriptedClientWithTools(agent_framework.FunctionInvocationLayer, ScriptedClient):  # type: ignore[misc]
        """Executes the calls."""

    ScriptedClient = ScriptedClientWithTools  # type: ignore[misc]
    agent_of, tool = agent_framework.Agent, agent_framework.tool


def scripted(*script: list[Any]) -> Any:
    client: Any = ScriptedClient()
    client.script, client.seen = script, []
    return client


def pay_into(paid: list[int]) -> Any:
    @tool(approval_mode="always_require")
    def pay(sum: int) -> str:
        """Pays."""
        paid.append(sum)
        return f"paid {sum}"

    return pay


def call(call_id: str, name: str, arguments: str) -> Any:
    return content("function_call", call_id=call_id, name=name, arguments=arguments)


def kinds(answer: Answer) -> list[tuple[str, str]]:
    """The messages: their types, and their texts or outputs."""
    return [(said.kind, said.output if said.output is not None else said.text) for said in answer.messages]


class Handlers(unittest.TestCase):
    def test_handler__of_something_else__is_none(self) -> None:
        for candidate in (None, "agent", agent_of, ScriptedClient()):
            self.assertIsNone(ms_agent_framework.handler(candidate))

    def test_agent__with_tools__writes_all_of_them(self) -> None:
        @tool(approval_mode="never_require")
        def search(q: str) -> str:
            """Searches."""
            return f"found {q}"

        client = scripted(
            [content("text", text="Let me see"), call("c1", "search", '{"q"'), call("", "", ': "x"}')],
            [content("text", text="The "), content("text", text="answer")],
        )
        handler = ms_agent_framework.handler(agent_of(client, tools=[search]))
        assert handler is not None
        history = [{"role": "user", "content": [{"type": "text", "text": "before"}]}]
        answer = ask(handler, "hi", history=history)
        self.assertEqual(
            kinds(answer),
            [
                ("message", "Let me see"),
                ("plugin_call", '{"q": "x"}'),
                ("plugin_call_output", "found x"),
                ("message", "The answer"),
            ],
        )
        self.assertEqual([message.text for message in client.seen[0]][-2:], ["before", "hi"])

    def test_calls_and_outputs__of_earlier_turns__are_texts(self) -> None:
        client = scripted([content("text", text="ok")])
        handler = ms_agent_framework.handler(agent_of(client))
        assert handler is not None
        data = {"call_id": "c1", "name": "f", "arguments": '{"a": "é"}', "output": '{"b": 1}'}
        history = [
            {"role": "user", "content": [{"type": "text", "text": "before"}]},
            {"role": "assistant", "type": "plugin_call", "content": [{"type": "data", "data": data}]},
            {"role": "tool", "type": "plugin_call_output", "content": [{"type": "data", "data": data}]},
        ]
        ask(handler, "hi", history=history)
        contents = [found for message in client.seen[0] for found in message.contents]
        self.assertEqual(
            [found.arguments if found.type == "function_call" else found.result for found in contents[1:3]],
            ['{"a": "é"}', '{"b": 1}'],
        )

    def test_call__that_needs_approval__is_made_once_it_is_approved(self) -> None:
        for text, output in (("yes", "paid 1"), ("no", None)):
            paid: list[int] = []
            client = scripted([call("c1", "pay", '{"sum": 1}')], [content("text", text="done")])
            handler = ms_agent_framework.handler(agent_of(client, tools=[pay_into(paid)]))
            assert handler is not None
            asked = ask(handler, "pay")
            self.assertEqual(paid, [])
            assert asked.asked is not None
            answered = ask(handler, text, steps=asked.steps, answers={asked.asked: text})
            self.assertEqual((answered.text, paid), ("done", [1] if output else []))
            self.assertEqual(len(client.seen), 2)


if __name__ == "__main__":
    unittest.main()
