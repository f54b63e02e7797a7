"""Agents of the OpenAI Agents SDK that answer runs."""

import asyncio
import unittest
from typing import Any, AsyncIterator

from agents import (
    Agent,
    AgentHooks,
    GuardrailFunctionOutput,
    Model,
    RunContextWrapper,
    function_tool,
    input_guardrail,
    set_tracing_disabled,
)
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseFunctionCallArgumentsDeltaEvent,
    ResponseFunctionToolCall,
    ResponseOutputItemAddedEvent,
    ResponseOutputItemDoneEvent,
    ResponseOutputMessage,
    ResponseOutputText,
    ResponseReasoningItem,
    ResponseReasoningSummaryTextDeltaEvent,
    ResponseTextDeltaEvent,
    ResponseUsage,
)
from openai.types.responses.response_reasoning_item import Summary
from openai.types.responses.response_usage import InputTokensDetails, OutputTokensDetails

from agent_server import AgentError
from agent_server.frameworks import openai_agents
from agent_server.testing import Answer, ask, ask_async
from recorder import cancel_once

set_tracing_disabled(True)
Parts = list[tuple[str, ...]]


class ScriptedModel(Model):
    """Streams the next parts: ``("text", delta…)``, ``("reasoning", delta…)``, ``("call", id, name, delta…)``."""

    def __init__(self, *script: Parts, streams: bool = True) -> None:
        self.script, self.streams = script, streams
        self.seen: list[Any] = []

    async def get_response(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError

    async def stream_response(self, instructions: Any, input: Any, *_: Any, **__: Any) -> AsyncIterator[Any]:
        parts = self.script[len(self.seen)]
        self.seen.append(input)
        number = 0
        output: list[Any] = []
        for index, (kind, *rest) in enumerate(parts):
            item = _item(kind, rest, f"item_{index}")
            output.append(item)
            deltas = _deltas(kind, rest, f"item_{index}", index) if self.streams else []
            for event in deltas:
                number += 1
                yield event
            if self.streams:
                yield ResponseOutputItemDoneEvent(
                    item=item, output_index=index, sequence_number=number, type="response.output_item.done"
                )
        usage = ResponseUsage(
            input_tokens=2,
            output_tokens=3,
            total_tokens=5,
            input_tokens_details=InputTokensDetails.model_construct(cached_tokens=0),
            output_tokens_details=OutputTokensDetails.model_construct(reasoning_tokens=0),
        )
        response = Response.model_construct(id="r", output=output, usage=usage, model="m", object="response")
        yield ResponseCompletedEvent.model_construct(response=response, type="response.completed", sequence_number=99)


def _item(kind: str, rest: list[str], item_id: str) -> Any:
    if kind == "text":
        part = ResponseOutputText(text="".join(rest), type="output_text", annotations=[])
        return ResponseOutputMessage(id=item_id, content=[part], role="assistant", status="completed", type="message")
    if kind == "reasoning":
        summary = [Summary(text="".join(rest), type="summary_text")]
        return ResponseReasoningItem(id=item_id, summary=summary, type="reasoning")
    call_id, name, *arguments = rest
    return ResponseFunctionToolCall(
        id=item_id, call_id=call_id, name=name, arguments="".join(arguments), type="function_call"
    )


def _deltas(kind: str, rest: list[str], item_id: str, index: int) -> list[Any]:
    where: dict[str, Any] = {"item_id": item_id, "output_index": index, "sequence_number": 0}
    if kind == "text":
        return [
            ResponseTextDeltaEvent(
                delta=delta, content_index=0, logprobs=[], type="response.output_text.delta", **where
            )
            for delta in rest
        ]
    if kind == "reasoning":
        kind_of_event = "response.reasoning_summary_text.delta"
        return [
            ResponseReasoningSummaryTextDeltaEvent(delta=delta, summary_index=0, type=kind_of_event, **where)
            for delta in rest
        ]
    call = _item(kind, rest[:2], item_id)
    added = ResponseOutputItemAddedEvent(
        item=call, output_index=index, sequence_number=0, type="response.output_item.added"
    )
    pieces = [
        ResponseFunctionCallArgumentsDeltaEvent(delta=delta, type="response.function_call_arguments.delta", **where)
        for delta in rest[2:]
    ]
    return [added, *pieces]


@function_tool
def search(q: str) -> str:
    """Searches."""
    return f"found {q}"


paid: list[int] = []


@function_tool(needs_approval=True)
def pay(sum: int) -> str:
    """Pays."""
    paid.append(sum)
    return f"paid {sum}"


def handler(agent: Any) -> Any:
    found = openai_agents.handler(agent)
    assert found is not None
    return found


def kinds(answer: Answer) -> list[tuple[str, str]]:
    """The messages: their types, and their texts or outputs."""
    return [(said.kind, said.output if said.output is not None else said.text) for said in answer.messages]


TWO_ROUNDS: list[Parts] = [
    [("reasoning", "hm", "m"), ("text", "Let me ", "see"), ("call", "c1", "search", '{"q"', ': "x"}')],
    [("call", "c2", "search", '{"q": "y"}'), ("call", "c3", "search", '{"q": "z"}')],
    [("text", "The ", "answer")],
]


class Handlers(unittest.TestCase):
    def test_handler__of_something_else__is_none(self) -> None:
        for candidate in (None, "agent", search, Agent, ScriptedModel()):
            self.assertIsNone(openai_agents.handler(candidate))

    def test_agent__with_two_rounds_of_tools__writes_all_of_them(self) -> None:
        for streams in (True, False):
            answer = ask(handler(Agent("a", model=ScriptedModel(*TWO_ROUNDS, streams=streams), tools=[search])), "hi")
            self.assertEqual(
                kinds(answer),
                [
                    ("reasoning", "hmm"),
                    ("message", "Let me see"),
                    ("plugin_call", '{"q": "x"}'),
                    ("plugin_call_output", "found x"),
                    ("plugin_call", '{"q": "y"}'),
                    ("plugin_call", '{"q": "z"}'),
                    ("plugin_call_output", "found y"),
                    ("plugin_call_output", "found z"),
                    ("message", "The answer"),
                ],
            )
            self.assertEqual([said.usage["total_tokens"] for said in answer.messages if said.usage], [5, 5, 5])
            self.assertEqual({said.name for said in answer.messages if said.name}, {"search"})
            self.assertTrue(all(said.is_closed for said in answer.messages))

    def test_agent__in_a_session__gets_the_history(self) -> None:
        model = ScriptedModel([("text", "ok")])
        image = {"type": "image", "image_url": "http://x/a.png"}
        call = {"call_id": "c1", "name": "search", "arguments": '{"q": "x"}'}
        history = [
            {"role": "user", "content": [{"type": "text", "text": "before"}, image]},
            {"type": "plugin_call", "role": "assistant", "content": [{"type": "data", "data": call}]},
            {"type": "error", "status": "failed", "message": "The time is over"},
        ]
        ask(handler(Agent("a", model=model)), "now", history=history)
        before, called, output, now = model.seen[0]
        self.assertEqual([part["type"] for part in before["content"]], ["input_text", "input_image"])
        self.assertEqual((called["type"], called["arguments"]), ("function_call", '{"q": "x"}'))
        self.assertEqual((output["type"], output["call_id"]), ("function_call_output", "c1"))
        self.assertIn("no output, because its run has ended early: The time is over", output["output"])
        self.assertEqual(now["content"], [{"type": "input_text", "text": "now"}])

    def test_handoff__to_another_agent__is_a_call_and_an_event(self) -> None:
        other = Agent("other", model=ScriptedModel([("text", "I am other")]))
        first = Agent("first", model=ScriptedModel([("call", "c1", "transfer_to_other", "{}")]), handoffs=[other])
        answer = ask(handler(first), "hi")
        self.assertEqual([said.kind for said in answer.messages], ["plugin_call", "plugin_call_output", "message"])
        self.assertEqual(answer.events, [{"object": "openai_agents.handoff", "from": "first", "to": "other"}])

    def test_guardrail__that_is_tripped__is_an_error(self) -> None:
        @input_guardrail
        async def no_secrets(context: RunContextWrapper[Any], agent: Any, given: Any) -> GuardrailFunctionOutput:
            return GuardrailFunctionOutput(output_info=None, tripwire_triggered=True)

        agent = Agent("a", model=ScriptedModel([("text", "ok")]), input_guardrails=[no_secrets])
        with self.assertRaisesRegex(AgentError, "no_secrets") as raised:
            ask(handler(agent), "hi")
        self.assertEqual(raised.exception.code, "GUARDRAIL_TRIPPED")

    def test_runs__of_one_agent_at_once__do_not_mix(self) -> None:
        class Echo(ScriptedModel):
            async def stream_response(self, instructions: Any, input: Any, *_: Any, **__: Any) -> AsyncIterator[Any]:
                text = input[0]["content"][0]["text"]
                await asyncio.sleep(0)
                model = ScriptedModel([("text", text)])
                async for event in model.stream_response(None, input):
                    yield event

        async def both() -> list[str]:
            answer = handler(Agent("a", model=Echo()))
            return [answered.text for answered in await asyncio.gather(ask_async(answer, "a"), ask_async(answer, "b"))]

        self.assertEqual(asyncio.run(both()), ["a", "b"])

    def test_hook__after_the_last_word__has_ended_when_the_run_has(self) -> None:
        class Saving(AgentHooks[Any]):
            saved: list[str] = []

            async def on_end(self, context: Any, agent: Any, output: Any) -> None:
                await asyncio.sleep(0)
                self.saved.append(output)

        hooks = Saving()
        ask(handler(Agent("a", model=ScriptedModel([("text", "ok")]), hooks=hooks)), "hi")
        self.assertEqual(hooks.saved, ["ok"])

    def test_run__that_is_cancelled__leaves_no_task(self) -> None:
        async def cancel() -> int:
            started = asyncio.Event()

            @function_tool
            async def waits() -> None:
                """Waits."""
                started.set()
                await asyncio.get_running_loop().create_future()

            model = ScriptedModel([("call", "c1", "waits", "{}")])
            return await cancel_once(started, ask_async(handler(Agent("a", model=model, tools=[waits])), "hi"))

        self.assertEqual(asyncio.run(cancel()), 0)


class Approvals(unittest.TestCase):
    def test_two_calls__one_refused__only_the_other_is_executed(self) -> None:
        paid.clear()
        model = ScriptedModel(
            [("call", "c1", "pay", '{"sum": 1}'), ("call", "c2", "pay", '{"sum": 2}')], [("text", "done")]
        )
        answer = handler(Agent("a", model=model, tools=[pay]))
        asked = ask(answer, "pay")
        self.assertEqual([said.kind for said in asked.messages], ["plugin_call", "plugin_call", "message"])
        self.assertEqual((asked.asked, paid), ("c1", []))
        again = ask(answer, "yes", steps=asked.steps, answers={"c1": "yes"})
        self.assertEqual((again.asked, paid), ("c2", []))
        answers = {"c1": "yes", "c2": "too much"}
        answered = ask(answer, "too much", steps=asked.steps, answers=answers)
        called = [said.call_id for said in asked.messages if said.kind == "plugin_call"]
        answers_to = [said.call_id for said in answered.messages if said.kind == "plugin_call_output"]
        self.assertEqual((called, sorted(filter(None, answers_to))), (["c1", "c2"], ["c1", "c2"]))
        self.assertEqual((answered.text, paid, len(model.seen)), ("done", [1], 2))
        outputs = {
            item["call_id"]: item["output"] for item in model.seen[1] if item.get("type") == "function_call_output"
        }
        self.assertEqual(outputs["c1"], "paid 1")
        self.assertIn("too much", outputs["c2"])
        self.assertEqual([said.kind for said in answered.messages], ["plugin_call_output"] * 2 + ["message"])
        self.assertEqual([said.name for said in answered.messages], ["pay", "pay", None])


if __name__ == "__main__":
    unittest.main()
