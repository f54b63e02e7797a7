"""Agents of Pydantic AI that answer runs."""

import asyncio
import unittest
from typing import Any, AsyncIterator

from pydantic import BaseModel
from pydantic_ai import Agent, DeferredToolRequests, ModelRetry
from pydantic_ai.models.function import DeltaThinkingPart, DeltaToolCall, FunctionModel

from agent_server.frameworks import pydantic_ai
from agent_server.testing import Answer, ask, ask_async
from recorder import cancel_once


class Script:
    """What a model streams, one list for each call, and what it was asked."""

    def __init__(self, *script: list[Any]) -> None:
        self.script = script
        self.seen: list[Any] = []

    async def stream(self, messages: list[Any], _info: Any) -> AsyncIterator[Any]:
        pieces = self.script[len(self.seen)]
        self.seen.append(list(messages))
        for piece in pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    @property
    def model(self) -> FunctionModel:
        return FunctionModel(stream_function=self.stream)


def thinking(text: str) -> Any:
    return {0: DeltaThinkingPart(content=text)}


def call(index: int, call_id: str, name: str, arguments: str) -> Any:
    return {index: DeltaToolCall(name=name, json_args=arguments, tool_call_id=call_id)}


class Weather(BaseModel):
    degrees: int


def handler(agent: Any) -> Any:
    found = pydantic_ai.handler(agent)
    assert found is not None
    return found


def kinds(answer: Answer) -> list[tuple[str, str]]:
    """The messages: their types, and their texts or outputs."""
    return [(said.kind, said.output if said.output is not None else said.text) for said in answer.messages]


def with_tools(agent: Any) -> Any:
    @agent.tool_plain
    def search(q: str) -> dict[str, str]:
        """Searches."""
        if q == "again":
            raise ModelRetry("try another")
        return {"found": q}

    return agent


class Handlers(unittest.TestCase):
    def test_handler__of_something_else__is_none(self) -> None:
        for candidate in (None, "agent", Agent, Weather(degrees=1)):
            self.assertIsNone(pydantic_ai.handler(candidate))

    def test_agent__with_two_rounds_of_tools__writes_all_of_them(self) -> None:
        more = {2: DeltaToolCall(json_args=': "x"}')}
        script = Script(
            [thinking("hm"), thinking("m"), "Let me ", "see", call(2, "c1", "search", '{"q"'), more],
            [call(0, "c2", "search", '{"q": "again"}'), call(1, "c3", "search", '{"q": "z"}')],
            ["The ", "answer"],
        )
        answer = ask(handler(with_tools(Agent(script.model))), "hi")
        self.assertEqual(
            kinds(answer)[:3] + kinds(answer)[4:6],
            [
                ("reasoning", "hmm"),
                ("message", "Let me see"),
                ("plugin_call", '{"q": "x"}'),
                ("plugin_call", '{"q": "again"}'),
                ("plugin_call", '{"q": "z"}'),
            ],
        )
        outputs = [said.output or "" for said in answer.messages if said.kind == "plugin_call_output"]
        self.assertIn('"found"', outputs[0])
        self.assertIn("try another", outputs[1])
        self.assertEqual((answer.messages[-1].text, len(answer.messages)), ("The answer", 9))
        self.assertEqual([bool(said.usage) for said in answer.messages], [False] * 8 + [True])
        self.assertTrue(all(said.is_closed for said in answer.messages))

    def test_result__that_is_structured__is_data(self) -> None:
        script = Script([call(0, "c1", "final_result", '{"degrees": 25}')])
        answer = ask(handler(Agent(script.model, output_type=Weather)), "hi")
        self.assertEqual([said.kind for said in answer.messages], ["message"])
        self.assertEqual(answer.messages[0].contents, [{"type": "data", "data": {"degrees": 25}}])

    def test_agent__in_a_session__gets_history_and_system_prompt(self) -> None:
        script = Script(["ok"])
        image = {"type": "image", "image_url": "http://x/a.png"}
        data = {"call_id": "c1", "name": "search", "arguments": '{"q": "x"}'}
        history = [
            {"role": "user", "content": [{"type": "text", "text": "before"}, image]},
            {"type": "plugin_call", "role": "assistant", "content": [{"type": "data", "data": data}]},
            {"type": "error", "status": "failed", "message": "The time is over"},
        ]
        ask(handler(with_tools(Agent(script.model, system_prompt="Be kind"))), "now", history=history)
        request, response, last = script.seen[0]
        self.assertEqual([part.part_kind for part in request.parts], ["system-prompt", "user-prompt"])
        self.assertEqual((request.parts[1].content[0], request.parts[1].content[1].url), ("before", "http://x/a.png"))
        self.assertEqual(response.parts[0].tool_call_id, "c1")
        self.assertEqual([part.part_kind for part in last.parts], ["tool-return", "user-prompt"])
        self.assertIn("no output, because its run has ended early: The time is over", last.parts[0].content)

    def test_error__of_the_model__is_raised(self) -> None:
        with self.assertRaisesRegex(RuntimeError, "boom"):
            ask(handler(Agent(Script(["Hel", RuntimeError("boom")]).model)), "hi")

    def test_runs__of_one_agent_at_once__do_not_mix(self) -> None:
        async def echo(messages: list[Any], _info: Any) -> AsyncIterator[str]:
            text = messages[0].parts[-1].content
            for letter in text:
                await asyncio.sleep(0)
                yield letter

        async def both() -> list[str]:
            answer = handler(Agent(FunctionModel(stream_function=echo)))
            return [said.text for said in await asyncio.gather(ask_async(answer, "aaa"), ask_async(answer, "bbb"))]

        self.assertEqual(asyncio.run(both()), ["aaa", "bbb"])

    def test_stream__after_the_last_word__is_read_to_its_end(self) -> None:
        ended: list[bool] = []

        async def speak(messages: list[Any], _info: Any) -> AsyncIterator[str]:
            yield "ok"
            await asyncio.sleep(0)
            ended.append(True)

        self.assertEqual((ask(handler(Agent(FunctionModel(stream_function=speak))), "hi").text, ended), ("ok", [True]))

    def test_run__that_is_cancelled__leaves_no_task(self) -> None:
        async def cancel() -> int:
            started = asyncio.Event()
            agent: Any = Agent(Script([call(0, "c1", "waits", "{}")]).model)

            @agent.tool_plain
            async def waits() -> None:
                """Waits."""
                started.set()
                await asyncio.get_running_loop().create_future()

            return await cancel_once(started, ask_async(handler(agent), "hi"))

        self.assertEqual(asyncio.run(cancel()), 0)


class Approvals(unittest.TestCase):
    def test_two_calls__one_refused__only_the_other_is_executed(self) -> None:
        paid: list[int] = []
        calls = [call(0, "c1", "pay", '{"sum": 1}'), call(1, "c2", "pay", '{"sum": 2}')]
        script = Script(calls, ["done"])
        agent: Any = Agent(script.model, output_type=[str, DeferredToolRequests])

        @agent.tool_plain(requires_approval=True)
        def pay(sum: int) -> str:
            """Pays."""
            paid.append(sum)
            return f"paid {sum}"

        answer = handler(agent)
        asked = ask(answer, "pay")
        self.assertEqual([said.kind for said in asked.messages], ["plugin_call", "plugin_call", "message"])
        self.assertEqual((asked.asked, paid), ("c1", []))
        self.assertEqual(ask(answer, "yes", steps=asked.steps, answers={"c1": "yes"}).asked, "c2")
        answers = {"c1": "yes", "c2": "too much"}
        answered = ask(answer, "too much", steps=asked.steps, answers=answers)
        called = [said.call_id for said in asked.messages if said.kind == "plugin_call"]
        answers_to = [said.call_id for said in answered.messages if said.kind == "plugin_call_output"]
        self.assertEqual((called, sorted(filter(None, answers_to))), (["c1", "c2"], ["c1", "c2"]))
        self.assertEqual((answered.text, paid, len(script.seen)), ("done", [1], 2))
        outputs = {said.output for said in answered.messages if said.kind == "plugin_call_output"}
        self.assertEqual(outputs, {"paid 1", "The user has refused this call: too much"})


if __name__ == "__main__":
    unittest.main()
