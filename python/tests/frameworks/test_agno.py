"""agno 2.x: its streams, its input, and its agents."""

from __future__ import annotations

import asyncio
import unittest
from dataclasses import dataclass, field
from typing import Any, AsyncIterator

import golden
from agno.agent import Agent
from agno.db.in_memory import InMemoryDb
from agno.media import Image
from agno.models.base import Model
from agno.models.message import Message
from agno.metrics import MessageMetrics, RunMetrics
from agno.models.response import ModelResponse, ToolExecution
from agno.run import agent as events
from agno.team import Team
from agno.tools import tool

from agent_server import frameworks
from agent_server.testing import ask, ask_async

LEFT_OPEN = "upstream never completes a text that no RunContentCompleted follows"

CALL_AND_OUTPUT = [("plugin_call", '{"q": "杭州"}'), ("plugin_call_output", '"found"')]

DIFFERENCES: golden.Differences = {
    "agno_text_no_content_completed": (LEFT_OPEN, [("message", "Hello")]),
    "agno_text_no_events_after": (LEFT_OPEN, [("message", "Hello")]),
    "real_agno_text_tool_text": (
        LEFT_OPEN,
        [
            ("message", "I search"),
            ("plugin_call", '{"q": "x"}'),
            ("plugin_call_output", '"found x"'),
            ("message", "The answer"),
        ],
    ),
    "agno_reasoning_tool_text": (
        "upstream completes a thought only when a text follows, so calls come before it",
        [("reasoning", "think"), *CALL_AND_OUTPUT, ("message", "Hel")],
    ),
    "agno_run_error": ("upstream completes a response whose run has failed", [], "the agno agent failed: model failed"),
    "agno_content_object": (
        "upstream fails at structured answers; an answer that is not streamed is in RunCompleted",
        [("message", '{"a": 1}')],
    ),
    "agno_content_completed_first": (
        "upstream fails if a content is completed that never began; the answer is in RunCompleted",
        [("message", "x")],
    ),
    "agno_tool_result_null": (
        "upstream writes null for a call without arguments, which are an object; the answer is in RunCompleted",
        [("plugin_call", "{}"), ("plugin_call_output", "null"), ("message", "x")],
    ),
}

FIRST_ONLY: golden.Differences = {
    "agno_content_none": ("upstream 1.0.2 fails at a content that is null", [("message", "ab")]),
}


def item(recorded: Any) -> Any:
    """An item of a stream, as the recording has it."""
    if not isinstance(recorded, dict):
        return recorded
    given = {key: value for key, value in recorded.items() if key != "class"}
    if "tool" in given:
        given["tool"] = ToolExecution(**given["tool"])
    return getattr(events, recorded["class"])(**given)


def summaries(*items: Any) -> list[tuple[str, ...]]:
    """The messages that are written for a stream of these items, in short."""
    found, error = golden.ours({"framework": "agno", "framework_stream": list(items)}, lambda each: each)
    if error is not None:
        raise error
    return [golden.summary(message) for message in found]


class Streams(unittest.TestCase):
    maxDiff = None

    def test_stream__of_every_recording__is_upstreams(self) -> None:
        for name in golden.names("agno_", "real_agno_"):
            with self.subTest(name):
                table = DIFFERENCES if name.startswith("v115/") else {**DIFFERENCES, **FIRST_ONLY}
                golden.compare(self, name, item, table)

    def test_members__that_speak_at_once__have_messages_of_their_own(self) -> None:
        def says(run_id: str, content: str) -> Any:
            return events.RunContentEvent(run_id=run_id, content=content)

        found = summaries(says("a", "a1"), says("b", "b1"), says("a", " a2"), says("b", " b2"))
        self.assertEqual(found, [("message", "a1 a2"), ("message", "b1 b2")])

    def test_tool__that_fails__has_one_output(self) -> None:
        tool = ToolExecution(tool_call_id="c1", tool_name="f", tool_args={}, result="no", tool_call_error=True)
        steps = [events.ToolCallStartedEvent, events.ToolCallErrorEvent, events.ToolCallCompletedEvent]
        found = summaries(*[step(tool=tool) for step in steps])
        self.assertEqual(found, [("plugin_call", "{}"), ("plugin_call_output", '"no"')])

    def test_image__of_an_answer__is_a_content(self) -> None:
        image = Image(content=b"ABC", mime_type="image/png")
        found = summaries(events.RunContentEvent(content="see", image=image), events.RunCompletedEvent(images=[image]))
        self.assertEqual(found, [("message", "see"), ("message", "data:image/png;base64,QUJD")])

    def test_tokens__of_a_run__are_those_of_its_message(self) -> None:
        metrics = RunMetrics(input_tokens=3, output_tokens=4, total_tokens=7)
        steps = [
            events.RunContentEvent(content="hi"),
            events.RunContentCompletedEvent(),
            events.RunCompletedEvent(content="hi", metrics=metrics),
        ]
        found, _ = golden.ours({"framework": "agno", "framework_stream": steps}, lambda each: each)
        self.assertEqual(found[0]["usage"], {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7})


class Inputs(unittest.TestCase):
    def test_input__of_every_recording__is_upstreams(self) -> None:
        for path in sorted(golden.FOLDER.rglob("agno_in_*.json")):
            with self.subTest(path.stem):
                case = golden.load(str(path.relative_to(golden.FOLDER).with_suffix("")))
                found = frameworks.read("agno", case["request"]["input"])
                if path.stem == "agno_in_data":
                    # Upstream loses contents with data.
                    parts = [{"type": "text", "text": '{"k": 1}'}]
                    self.assertEqual(found, [{"role": "user", "name": "user", "content": parts}])
                    continue
                for message, wanted in zip(found, case["handler_msgs"]["msgs"], strict=True):
                    # Upstream leaves out the name of a speaker whose role it has to guess.
                    name = wanted["name"] or message["name"]
                    self.assertEqual(message, {**wanted, "name": name})

    def test_media__of_a_user__are_parts(self) -> None:
        contents = [
            {"type": "image", "image_url": "data:image/png;base64,QUJD"},
            {"type": "audio", "data": "QUJD", "format": "wav"},
            {"type": "file", "file_data": "data:application/pdf;base64,QUJD", "filename": "a.pdf"},
            {"type": "video", "video_url": "http://x/a.mp4"},
        ]
        (found,) = frameworks.read("agno", [{"role": "user", "content": contents}])
        self.assertEqual([part["type"] for part in found["content"]], ["image_url", "input_audio", "file", "text"])
        self.assertEqual(found["content"][1]["input_audio"], {"data": "QUJD", "format": "wav"})


@dataclass
class Scripted(Model):
    """A model that answers from a script, and notes what it is asked."""

    id: str = "scripted"
    answers: list[Any] = field(default_factory=list)
    prompts: list[list[Message]] = field(default_factory=list)

    def invoke(self, *arguments: Any, **options: Any) -> Any:
        raise NotImplementedError

    ainvoke = invoke_stream = _parse_provider_response = _parse_provider_response_delta = invoke

    async def ainvoke_stream(self, messages: list[Message], *arguments: Any, **options: Any) -> AsyncIterator[Any]:
        self.prompts.append([*messages])
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        for piece in [answer] if isinstance(answer, list) else answer.split("|"):
            response = ModelResponse(content=piece) if isinstance(piece, str) else ModelResponse(tool_calls=piece)
            await asyncio.sleep(0)
            yield response
        yield ModelResponse(response_usage=MessageMetrics(input_tokens=10, output_tokens=2, total_tokens=12))


def call(name: str, call_id: str, arguments: str = "{}") -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def search() -> str:
    """Searches."""
    return "found"


class Agents(unittest.TestCase):
    def agent(self, *answers: Any, **options: Any) -> Any:
        self.model = Scripted(answers=list(answers))
        return Agent(name="helper", model=self.model, telemetry=False, **options)

    def answering(self, agent: Any) -> Any:
        found = frameworks.handler(agent)
        self.assertIsNotNone(found)
        return found

    def test_objects__that_are_no_agents__have_no_handler(self) -> None:
        for other in (object(), Agent, "text", Scripted()):
            self.assertIsNone(frameworks.handler(other))

    def test_agent__with_tools_at_once__writes_both_rounds_and_its_tokens(self) -> None:
        calls = [call("search", "c1"), call("search", "c2")]
        answer = ask(self.answering(self.agent(calls, "It is |done.", tools=[search])), "find")
        kinds = [message.kind for message in answer.messages]
        self.assertEqual(sorted(kinds[:4]), ["plugin_call"] * 2 + ["plugin_call_output"] * 2)
        self.assertEqual(answer.text, "It is done.")
        self.assertEqual(answer.messages[-1].usage, {"input_tokens": 20, "output_tokens": 4, "total_tokens": 24})
        self.assertTrue(all(message.is_closed for message in answer.messages))

    def test_agent__without_a_database__has_the_conversation(self) -> None:
        agent = self.agent("Two.")
        history = [
            {"role": "user", "content": [{"type": "text", "text": "one?"}]},
            {"role": "assistant", "content": [{"type": "text", "text": "One."}]},
        ]
        self.assertEqual(ask(self.answering(agent), "two?", history=history).text, "Two.")
        self.assertEqual([message.role for message in self.model.prompts[0]][-3:], ["user", "assistant", "user"])

    def test_agent__with_a_database__keeps_the_conversation_itself(self) -> None:
        agent = self.agent("One.", "Two.", db=InMemoryDb(), add_history_to_context=True)
        for text in ("one?", "two?"):
            ask(self.answering(agent), text, history=[{"role": "user", "content": [{"type": "text", "text": "x"}]}])
        said = [message.get_content_string() for message in self.model.prompts[1] if message.role != "system"]
        self.assertEqual(said, ["one?", "One.", "two?"])

    def test_exception__of_the_model__fails_the_run(self) -> None:
        with self.assertRaises(Exception):
            ask(self.answering(self.agent(KeyError("key"))), "hi")

    def test_runs__at_once__do_not_see_each_other(self) -> None:
        answering = self.answering(self.agent("One.", "Two."))

        async def both() -> Any:
            return await asyncio.gather(ask_async(answering, "first"), ask_async(answering, "second"))

        self.assertEqual({answer.text for answer in asyncio.run(both())}, {"One.", "Two."})
        self.assertEqual([len([m for m in each if m.role == "user"]) for each in self.model.prompts], [1, 1])

    def test_team__with_a_member__writes_what_both_say(self) -> None:
        member = self.agent("Found.")
        arguments = '{"member_id": "helper", "task": "find"}'
        leader = Scripted(answers=[[call("delegate_task_to_member", "c1", arguments)], "Done."])
        team = Team(name="team", members=[member], model=leader, telemetry=False)
        answer = ask(self.answering(team), "find")
        texts = [message.text for message in answer.messages if message.kind == "message"]
        self.assertEqual(texts, ["Found.", "Done."])

    def test_tool__that_needs_confirmation__is_called_after_it(self) -> None:
        called = []

        @tool(requires_confirmation=True)
        def charge(amount: int) -> str:
            """Charges."""
            called.append(amount)
            return "charged"

        for word, outcome in (("yes", [7]), ("no", [])):
            called.clear()
            agent = self.agent([call("charge", "c1", '{"amount": 7}')], "Done.", tools=[charge])
            first = ask(self.answering(agent), "buy")
            self.assertEqual((first.asked, called), ("c1", []))
            second = ask(self.answering(agent), word, steps=first.steps, answers={"c1": word})
            self.assertEqual((second.asked, second.text, called), (None, "Done.", outcome))
            kinds = [said.kind for said in [*first.messages, *second.messages]]
            self.assertEqual(kinds, ["message", "plugin_call", "plugin_call_output", "message"])
            self.assertEqual(ask(self.answering(self.agent("Bye.")), "bye", state=second.state).text, "Bye.")

    def test_tool__that_needs_input__asks_for_it(self) -> None:
        @tool(requires_user_input=True, user_input_fields=["address"])
        def send(subject: str, address: str) -> str:
            """Sends."""
            return f"{subject} to {address}"

        agent = self.agent([call("send", "c1", '{"subject": "Hi"}')], "Sent.", tools=[send])
        first = ask(self.answering(agent), "send it")
        self.assertEqual(first.asked, "c1 address")
        second = ask(self.answering(agent), "Ann", steps=first.steps, answers={"c1 address": "Ann"})
        self.assertEqual(second.text, "Sent.")
        self.assertIn('"Hi to Ann"', [message.output for message in second.messages])

    def test_tool__of_the_client__ends_the_turn_and_takes_its_output(self) -> None:
        @tool(external_execution=True)
        def locate() -> str:
            """Locates the user."""
            return ""

        agent = self.agent([call("locate", "c1")], "You are in Rome.", tools=[locate])
        first = ask(self.answering(agent), "where am I?")
        self.assertEqual([message.kind for message in first.messages], ["function_call"])
        data = {"call_id": "c1", "name": "locate", "output": "Rome"}
        output = {"type": "function_call_output", "role": "tool", "content": [{"type": "data", "data": data}]}

        async def resumed(run: Any) -> None:
            run.request["input"] = [output]
            await self.answering(agent)(run)

        second = ask(resumed, state=first.state)
        self.assertEqual(second.text, "You are in Rome.")
        self.assertIn("Rome", str([message.content for message in self.model.prompts[1]]))


if __name__ == "__main__":
    unittest.main()
