"""agentscope 2.x: its events, its messages and its agents."""

from __future__ import annotations

import asyncio
import json
import unittest
from typing import Any, AsyncIterator

import golden
from agentscope.agent import Agent
from agentscope.credential import OpenAICredential
from agentscope.event import DataBlockDeltaEvent, DataBlockEndEvent, DataBlockStartEvent, ReplyEndEvent
from agentscope.formatter import OpenAIChatFormatter
from agentscope.message import Msg, TextBlock, ThinkingBlock, ToolCallBlock
from agentscope.model import ChatModelBase, ChatResponse, ChatUsage
from agentscope.permission import PermissionBehavior, PermissionDecision
from agentscope.tool import FunctionTool, ToolBase, Toolkit

from agent_server import frameworks
from agent_server.testing import ask, ask_async


class Scripted(ChatModelBase):
    """A model that answers from a script, and notes what it is asked."""

    def __init__(self, *answers: Any) -> None:
        super().__init__(OpenAICredential(api_key="none"), "scripted", ChatModelBase.Parameters())
        self.formatter = OpenAIChatFormatter()
        self.answers = list(answers)
        self.prompts: list[list[Msg]] = []

    async def _call_api(self, model_name: str, messages: list[Msg], *arguments: Any, **options: Any) -> Any:
        self.prompts.append([*messages])
        return self._pieces(self.answers.pop(0))

    async def _pieces(self, answer: Any) -> AsyncIterator[ChatResponse]:
        if isinstance(answer, Exception):
            raise answer
        usage = ChatUsage(input_tokens=10, output_tokens=2, time=0.1)
        if isinstance(answer, str):
            thought, _, text = answer.rpartition("|")
            if thought:
                yield ChatResponse([ThinkingBlock(thinking=thought, id="t")], False)
            for letter in text:
                await asyncio.sleep(0)
                yield ChatResponse([TextBlock(text=letter, id="x")], False, usage=usage)
        else:
            yield ChatResponse(answer, False, usage=usage)


def call(name: str, call_id: str, arguments: str = "{}") -> ToolCallBlock:
    return ToolCallBlock(id=call_id, name=name, input=arguments)


def search() -> str:
    """Searches."""
    return "found"


ALLOW = PermissionDecision(behavior=PermissionBehavior.ALLOW, message="")


class Locate(ToolBase):
    name = "locate"
    description = "Locates the user."
    input_schema: dict[str, Any] = {"type": "object", "properties": {}}
    is_concurrency_safe = True
    is_read_only = True
    is_external_tool = True

    async def check_permissions(self, *arguments: Any, **options: Any) -> PermissionDecision:
        return ALLOW


class Agents(unittest.TestCase):
    def agent(self, *answers: Any, tools: Any = ()) -> Agent:
        self.model = Scripted(*answers)
        return Agent("Friday", "You help.", self.model, toolkit=Toolkit(tools=list(tools)))

    def answering(self, agent: Any) -> Any:
        found = frameworks.handler(agent)
        self.assertIsNotNone(found)
        return found

    def test_objects__that_are_no_agents__have_no_handler(self) -> None:
        for other in (object(), Agent, "text", Toolkit()):
            self.assertIsNone(frameworks.handler(other))

    def test_agent__with_tools_at_once__writes_both_rounds_and_its_tokens(self) -> None:
        tool = FunctionTool(search, permission=ALLOW)
        agent = self.agent([call("search", "c1"), call("search", "c2")], "hm|Done.", tools=[tool])
        answer = ask(self.answering(agent), "find")
        kinds = [message.kind for message in answer.messages]
        self.assertEqual(kinds[:4], ["plugin_call"] * 2 + ["plugin_call_output"] * 2)
        self.assertEqual(kinds[4:], ["reasoning", "message"])
        self.assertEqual([message.output for message in answer.messages[2:4]], ["found"] * 2)
        self.assertEqual((answer.messages[4].text, answer.text), ("hm", "Done."))
        counts = [message.usage["input_tokens"] for message in answer.messages if message.usage]
        self.assertEqual(sum(counts), 20)
        self.assertTrue(all(message.is_closed for message in answer.messages))

    def test_second_turn__with_the_state_of_the_first__has_the_conversation(self) -> None:
        agent = self.agent("One.", "Two.")
        first = ask(self.answering(agent), "one?")
        second = ask(self.answering(agent), "two?", state=first.state)
        self.assertEqual(second.text, "Two.")
        texts = [message.get_text_content() for message in self.model.prompts[1]]
        self.assertEqual(texts[1:], ["one?", "One.", "two?"])
        self.assertEqual(agent.state.context, [])

    def test_first_turn__after_others__has_their_messages(self) -> None:
        agent = self.agent("Two.")
        data = {"call_id": "c1", "name": "search", "arguments": "{}", "output": '"found"'}
        contents = [{"type": "data", "data": data}]
        history = [
            {"role": "user", "content": [{"type": "text", "text": "one?"}]},
            {"type": "reasoning", "role": "assistant", "content": [{"type": "text", "text": "hm"}]},
            {"type": "plugin_call", "role": "assistant", "content": contents},
            {"type": "plugin_call_output", "role": "tool", "content": contents},
            {"role": "assistant", "content": [{"type": "text", "text": "One."}]},
        ]
        self.assertEqual(ask(self.answering(agent), "two?", history=history).text, "Two.")
        kinds = [block.type for message in self.model.prompts[0][1:] for block in message.content]
        self.assertEqual(kinds[:6], ["text", "thinking", "tool_call", "tool_result", "text", "text"])

    def test_runs__at_once__do_not_share_their_state(self) -> None:
        answering = self.answering(self.agent("One.", "Two."))

        async def both() -> Any:
            return await asyncio.gather(ask_async(answering, "first"), ask_async(answering, "second"))

        self.assertEqual({answer.text for answer in asyncio.run(both())}, {"One.", "Two."})
        asked = [[message.get_text_content() for message in prompt][1] for prompt in self.model.prompts]
        self.assertEqual(sorted(asked), ["first", "second"])
        self.assertNotIn("first", str(self.model.prompts[asked.index("second")]))

    def test_exception__of_the_model__fails_the_run(self) -> None:
        with self.assertRaises(Exception):
            ask(self.answering(self.agent(KeyError("key"))), "hi")

    def test_call__that_needs_confirmation__is_made_after_it(self) -> None:
        called = []

        def charge(amount: int) -> str:
            """Charges."""
            called.append(amount)
            return "charged"

        for word, outcome in (("yes", [7, 8]), ("no", [])):
            called.clear()
            calls = [call("charge", "c1", '{"amount": 7}'), call("charge", "c2", '{"amount": 8}')]
            agent = self.agent(calls, "Done.", tools=[FunctionTool(charge, is_concurrency_safe=False)])
            answers: dict[str, str] = {}
            answer = ask(self.answering(agent), "buy")
            messages = [*answer.messages]
            while answer.asked is not None:
                self.assertNotIn(answer.asked, answers)
                self.assertEqual(called, outcome[: len(called)])
                answers[answer.asked] = word
                # The answers may come in other sessions, which do not have the state.
                answer = ask(self.answering(agent), word, steps=answer.steps, answers=answers)
                messages += answer.messages
            self.assertEqual((answer.text, called, sorted(answers)), ("Done.", outcome, ["c1", "c2"]))
            for kind in ("plugin_call", "plugin_call_output"):
                of_kind = [message.call_id for message in messages if message.kind == kind]
                self.assertEqual(sorted(filter(None, of_kind)), ["c1", "c2"])

    def test_tool__of_the_client__ends_the_turn_and_takes_its_output(self) -> None:
        agent = self.agent([call("locate", "c1")], "You are in Rome.", tools=[Locate()])
        first = ask(self.answering(agent), "where am I?")
        self.assertEqual([message.kind for message in first.messages], ["function_call"])
        data = {"call_id": "c1", "name": "locate", "output": "Rome"}
        output = {"type": "function_call_output", "role": "tool", "content": [{"type": "data", "data": data}]}

        async def resumed(run: Any) -> None:
            run.request["input"] = [output]
            await self.answering(agent)(run)

        second = ask(resumed, state=first.state)
        self.assertEqual([message.text for message in second.messages], ["You are in Rome."])
        self.assertIn("Rome", str(self.model.prompts[1][-1].content))

    def test_run__cancelled_in_a_tool__is_cancelled_and_leaves_a_state_that_names_the_cause(self) -> None:
        reached = asyncio.Event()

        async def slow() -> str:
            """Takes long."""
            reached.set()
            await asyncio.Event().wait()
            raise AssertionError

        agent = self.agent([call("slow", "c1")], "Two.", tools=[FunctionTool(slow, permission=ALLOW)])
        recorder = golden.Recorder()
        saved: list[Any] = []

        async def save(state: Any) -> None:
            saved.append(json.loads(json.dumps(state)))

        async def nothing(*_: Any) -> Any:
            return []

        recorder.run.load_state, recorder.run.history = nothing, nothing  # type: ignore[method-assign]
        recorder.run.save_state = save  # type: ignore[method-assign]
        recorder.run.step = lambda key, work: work()  # type: ignore[method-assign, assignment, misc]

        async def cancelled() -> None:
            task = asyncio.create_task(self.answering(agent)(recorder.run))
            await reached.wait()
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task

        asyncio.run(cancelled())
        ended_early = {"type": "error", "status": "canceled", "message": "The time is over"}
        again = ask(self.answering(agent), "again", state=saved[-1], history=[ended_early])
        self.assertEqual(again.text, "Two.")
        kinds = [block.type for message in self.model.prompts[1] for block in message.content]
        self.assertEqual(kinds.count("tool_call"), kinds.count("tool_result"))
        blocks = [block for message in self.model.prompts[1] for block in message.content]
        results = [block for block in blocks if block.type == "tool_result"]
        self.assertEqual(len(results), 1)
        self.assertIn("The time is over", str(results[0].output))
        self.assertNotIn("by the user", str(results[0].output))


class Streams(unittest.TestCase):
    def written(self, *steps: Any) -> Any:
        return golden.ours({"framework": "agentscope", "framework_stream": list(steps)}, lambda each: each)

    def test_medium__in_pieces__is_one_content(self) -> None:
        def piece(data: str) -> Any:
            return DataBlockDeltaEvent(reply_id="r", block_id="b", media_type="image/png", data=data)

        start = DataBlockStartEvent(reply_id="r", block_id="b", media_type="image/png")
        end = DataBlockEndEvent(reply_id="r", block_id="b")
        found, _ = self.written(start, piece("QQ=="), piece("QkM="), end)
        self.assertEqual([golden.summary(message) for message in found], [("message", "data:image/png;base64,QUJD")])

    def test_reply__that_ends_with_an_error__fails_the_run(self) -> None:
        error = {"type": "unknown", "message": "the model is away"}
        end = ReplyEndEvent(session_id="s", reply_id="r", finished_reason="error", error=error)
        _, raised = self.written(end)
        self.assertIn("the model is away", str(raised))


if __name__ == "__main__":
    unittest.main()
