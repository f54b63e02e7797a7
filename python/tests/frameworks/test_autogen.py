"""Agents and teams of AutoGen that answer runs."""

import asyncio
import unittest
from typing import Any

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.messages import MultiModalMessage, TextMessage, ThoughtEvent
from autogen_agentchat.teams import RoundRobinGroupChat, Swarm
from autogen_core import FunctionCall, Image
from autogen_core.models import CreateResult, ModelFamily, RequestUsage
from autogen_ext.models.replay import ReplayChatCompletionClient
from pydantic import BaseModel

from agent_server.frameworks import autogen
from agent_server.testing import Answer, ask, ask_async
from recorder import cancel_once, record

INFO: Any = {
    "vision": True,
    "function_calling": True,
    "json_output": True,
    "structured_output": True,
    "family": ModelFamily.UNKNOWN,
}
PIXEL = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def model(*script: Any) -> ReplayChatCompletionClient:
    return ReplayChatCompletionClient(list(script), model_info=INFO)


def calls(*given: tuple[str, str, str], thought: str | None = None) -> CreateResult:
    content = [FunctionCall(id=call_id, name=name, arguments=arguments) for call_id, name, arguments in given]
    usage = RequestUsage(prompt_tokens=3, completion_tokens=4)
    return CreateResult(finish_reason="function_calls", content=content, usage=usage, cached=False, thought=thought)


async def search(q: str) -> str:
    """Searches."""
    return f"found {q}"


def handler(agent: Any) -> Any:
    found = autogen.handler(agent)
    assert found is not None
    return found


def kinds(answer: Answer) -> list[tuple[str, str]]:
    """The messages: their types, and their texts or outputs."""
    return [(said.kind, said.output if said.output is not None else said.text) for said in answer.messages]


class Agents(unittest.TestCase):
    def test_handler__of_something_else__is_none(self) -> None:
        for candidate in (None, "agent", search, AssistantAgent, model("a")):
            self.assertIsNone(autogen.handler(candidate))

    def test_agent__with_two_rounds_of_tools__writes_all_of_them(self) -> None:
        for streams in (False, True):
            script = model(
                calls(("c1", "search", '{"q": "x"}'), thought="hmm"),
                calls(("c2", "search", '{"q": "y"}'), ("c3", "search", '{"q": "z"}')),
                "The answer",
            )
            agent = AssistantAgent("a", script, tools=[search], model_client_stream=streams, max_tool_iterations=5)
            answer = ask(handler(agent), "hi")
            self.assertEqual(
                kinds(answer),
                [
                    ("reasoning", "hmm"),
                    ("plugin_call", '{"q": "x"}'),
                    ("plugin_call_output", "found x"),
                    ("plugin_call", '{"q": "y"}'),
                    ("plugin_call", '{"q": "z"}'),
                    ("plugin_call_output", "found y"),
                    ("plugin_call_output", "found z"),
                    ("message", "The answer"),
                ],
            )
            self.assertEqual([said.usage["input_tokens"] for said in answer.messages if said.usage][:2], [3, 3])
            self.assertTrue(all(said.is_closed for said in answer.messages))

    def test_summary_of_a_tool__without_another_answer__is_a_message(self) -> None:
        agent = AssistantAgent("a", model(calls(("c1", "search", '{"q": "x"}'))), tools=[search])
        self.assertEqual(
            kinds(ask(handler(agent), "hi"))[1:], [("plugin_call_output", "found x"), ("message", "found x")]
        )

    def test_agent__in_a_session__gets_the_history_and_keeps_none_itself(self) -> None:
        script = model("ok", "ok")
        data = {"call_id": "c1", "name": "search", "arguments": '{"q": "x"}'}
        history = [
            {"role": "user", "content": [{"type": "text", "text": "before"}, {"type": "image", "image_url": PIXEL}]},
            {"type": "plugin_call", "role": "assistant", "content": [{"type": "data", "data": data}]},
        ]
        answer = handler(AssistantAgent("a", script, tools=[search], system_message=None))
        for _ in range(2):
            ask(answer, "now", history=history)
            before, called, output, now = script.create_calls[-1]["messages"]
            self.assertEqual((before.content[0], type(before.content[1]).__name__), ("before", "Image"))
            self.assertEqual(called.content[0].id, "c1")
            self.assertEqual((output.content[0].is_error, now.content), (True, "now"))
            self.assertIn("no output", output.content[0].content)

    def test_runs__of_one_agent_at_once__do_not_mix(self) -> None:
        script = model("1", "2")
        answer = handler(AssistantAgent("a", script, system_message=None))

        async def both() -> None:
            await asyncio.gather(ask_async(answer, "a"), ask_async(answer, "b"))

        asyncio.run(both())
        self.assertEqual(sorted(len(call["messages"]) for call in script.create_calls), [1, 1])


class Teams(unittest.TestCase):
    def test_team__that_takes_turns__names_who_has_said_what(self) -> None:
        one, two = (AssistantAgent(name, model(name, name), model_client_stream=True) for name in ("one", "two"))
        team = RoundRobinGroupChat([one, two], termination_condition=MaxMessageTermination(3))
        answer = handler(team)
        for _ in range(2):
            self.assertEqual(kinds(ask(answer, "hi")), [("message", "one"), ("message", "two")])

    def test_handoff__in_a_swarm__is_a_call_and_an_event(self) -> None:
        first = AssistantAgent("first", model(calls(("c1", "transfer_to_second", "{}"))), handoffs=["second"])
        second = AssistantAgent("second", model("done"))
        team = Swarm([first, second], termination_condition=MaxMessageTermination(3))
        answer = ask(handler(team), "hi")
        self.assertEqual([said.kind for said in answer.messages], ["plugin_call", "plugin_call_output", "message"])
        self.assertEqual(answer.events, [{"object": "autogen.handoff", "from": "first", "to": "second"}])

    def test_run__that_is_cancelled__leaves_no_task(self) -> None:
        async def cancel() -> int:
            started = asyncio.Event()

            async def waits() -> None:
                """Waits."""
                started.set()
                await asyncio.get_running_loop().create_future()

            agent = AssistantAgent("a", model(calls(("c1", "waits", "{}"))), tools=[waits])
            return await cancel_once(started, ask_async(handler(RoundRobinGroupChat([agent])), "hi"))

        self.assertEqual(asyncio.run(cancel()), 0)


class Items(unittest.TestCase):
    def test_items__of_every_kind__are_written(self) -> None:
        class Weather(BaseModel):
            degrees: int

        from autogen_agentchat.messages import ModelClientStreamingChunkEvent, StructuredMessage

        items: list[Any] = [
            {"object": "own", "value": 1},
            TextMessage(content="the task", source="user"),
            *(
                ModelClientStreamingChunkEvent(content=text, source="a")
                for text in ("<think>", "hm", "</think>", "He", "y")
            ),
            TextMessage(content="Hey", source="a", models_usage=RequestUsage(prompt_tokens=1, completion_tokens=2)),
            MultiModalMessage(content=["see", Image.from_uri(PIXEL)], source="a"),
            StructuredMessage[Weather](content=Weather(degrees=25), source="a"),
            ThoughtEvent(content="hm", source="b"),
        ]
        recorder = record(autogen.write, items)
        self.assertEqual(
            [message[0] for message in recorder.messages], ["reasoning", "message", "message", "message", "reasoning"]
        )
        self.assertEqual([message[2] for message in recorder.messages[:3]], ["hm", "Hey", "see"])
        self.assertEqual(recorder.messages[2][3]["type"], "image")
        self.assertEqual(recorder.messages[3][2:], ({"type": "data", "data": {"degrees": 25}},))
        self.assertEqual(recorder.usage, [{"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}])
        self.assertEqual(recorder.closed[1]["metadata"], {"source": "a"})
        self.assertEqual(recorder.events, [{"object": "own", "value": 1}])

    def test_thought__that_was_streamed__is_written_once(self) -> None:
        from autogen_agentchat.messages import ModelClientStreamingChunkEvent

        chunks = ("<think>h", "m", "</think>", "He", "y")
        items: list[Any] = [
            *(ModelClientStreamingChunkEvent(content=text, source="a") for text in chunks),
            ThoughtEvent(content="hm", source="a"),
            TextMessage(content="Hey", source="a"),
        ]
        recorder = record(autogen.write, items)
        self.assertEqual(
            [(message[0], message[2]) for message in recorder.messages], [("reasoning", "hm"), ("message", "Hey")]
        )

    def test_thought__before_a_streamed_answer__is_reasoning_and_the_answer_is_said_once(self) -> None:
        from autogen_agentchat.messages import ModelClientStreamingChunkEvent

        for pieces, order in (
            (("<think>h", "m", "</think>", "He", "y"), ["reasoning", "message"]),
            (("<think>", "hm", "</think>He", "y"), ["reasoning", "message"]),
            (("He", "y"), ["message", "reasoning"]),
        ):
            counts = RequestUsage(prompt_tokens=1, completion_tokens=2)
            items = [
                *(ModelClientStreamingChunkEvent(content=text, source="a") for text in pieces),
                ThoughtEvent(content="hm", source="a"),
                TextMessage(content="Hey", source="a", models_usage=counts),
            ]
            recorder = record(autogen.write, items)
            self.assertEqual([message[0] for message in recorder.messages], order)
            self.assertEqual({message[2] for message in recorder.messages}, {"hm", "Hey"})
            self.assertEqual(recorder.usage, [{"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}])

    def test_item__of_another_kind__is_refused(self) -> None:
        with self.assertRaisesRegex(TypeError, "not str"):
            record(autogen.write, ["text"])


if __name__ == "__main__":
    unittest.main()
