"""Agents of agentscope 1.x that a script has as objects."""

from __future__ import annotations

import asyncio
import unittest
from typing import Any, AsyncIterator

from agentscope.agent import AgentBase, ReActAgent, UserAgent
from agentscope.formatter import OpenAIChatFormatter
from agentscope.message import Msg, TextBlock, ToolUseBlock
from agentscope.model import ChatModelBase, ChatResponse
from agentscope.model._model_usage import ChatUsage
from agentscope.plan import PlanNotebook
from agentscope.tool import Toolkit, ToolResponse

from agent_server import Run
from agent_server.frameworks import handler
from agent_server.testing import ask, ask_async


class Scripted(ChatModelBase):
    """A model that answers from a script, and notes what it is asked."""

    def __init__(self, *answers: Any) -> None:
        super().__init__("scripted", True)
        self.answers = list(answers)
        self.prompts: list[list[dict[str, Any]]] = []

    async def __call__(self, messages: Any, *arguments: Any, **options: Any) -> AsyncIterator[ChatResponse]:
        self.prompts.append([*messages])
        return self._pieces(self.answers.pop(0))

    async def _pieces(self, answer: Any) -> AsyncIterator[ChatResponse]:
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, str):
            for end in range(1, len(answer) + 1):
                usage = ChatUsage(10, end, 0.1)
                yield ChatResponse([TextBlock(type="text", text=answer[:end])], usage=usage)
                await asyncio.sleep(0)
        else:
            yield ChatResponse([ToolUseBlock(type="tool_use", **call) for call in answer])


def call(name: str, call_id: str, /, **given: Any) -> dict[str, Any]:
    return {"name": name, "id": call_id, "input": given}


def react(model: Any, *tools: Any, **options: Any) -> ReActAgent:
    toolkit = Toolkit()
    for tool in tools:
        toolkit.register_tool_function(tool)
    return ReActAgent("Friday", "You help.", model, OpenAIChatFormatter(), toolkit=toolkit, **options)


def search() -> ToolResponse:
    """Searches."""
    return ToolResponse([TextBlock(type="text", text="found")])


def roles(prompt: list[dict[str, Any]]) -> list[str]:
    return [message["role"] for message in prompt]


class Agents(unittest.TestCase):
    def answering(self, agent: Any) -> Any:
        found = handler(agent)
        self.assertIsNotNone(found)
        return found

    def test_objects__that_are_no_agents__have_no_handler(self) -> None:
        for other in (object(), UserAgent("user"), ReActAgent, "text"):
            self.assertIsNone(handler(other))

    def test_agent__with_a_tool__writes_both_rounds_and_its_tokens(self) -> None:
        model = Scripted([call("search", "c1"), call("search", "c2")], "Done.")
        answer = ask(self.answering(react(model, search)), "find")
        kinds = [message.kind for message in answer.messages]
        self.assertEqual(kinds, ["plugin_call"] * 2 + ["plugin_call_output"] * 2 + ["message"])
        self.assertEqual(answer.messages[2].output, '[{"type": "text", "text": "found"}]')
        self.assertEqual(answer.text, "Done.")
        self.assertEqual(answer.messages[4].usage, {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15})
        self.assertTrue(all(message.is_closed for message in answer.messages))

    def test_second_turn__with_the_state_of_the_first__has_the_conversation(self) -> None:
        model = Scripted([call("search", "c1")], "One.", "Two.")
        agent = react(model, search)
        first = ask(self.answering(agent), "first")
        second = ask(self.answering(agent), "second", state=first.state, history=[{"role": "user", "content": []}])
        self.assertEqual(second.text, "Two.")
        self.assertEqual(roles(model.prompts[2]), ["system", "user", "assistant", "tool", "assistant", "user"])

    def test_first_turn__after_others__has_their_messages(self) -> None:
        model = Scripted("Two.")
        history = [
            {"role": "user", "content": [{"type": "text", "text": "one?"}]},
            {"role": "assistant", "content": [{"type": "text", "text": "One."}]},
        ]
        ask(self.answering(react(model)), "two?", history=history)
        self.assertEqual(roles(model.prompts[0]), ["system", "user", "assistant", "user"])

    def test_prompt__that_has_changed__is_used_in_old_sessions(self) -> None:
        first = ask(self.answering(react(Scripted("One."))), "first")
        model = Scripted("Two.")
        agent = react(model)
        agent._sys_prompt = "You help a lot."
        ask(self.answering(agent), "second", state=first.state)
        self.assertIn("a lot", str(model.prompts[0][0]))

    def test_runs__at_once__do_not_share_memories_and_tools(self) -> None:
        model = Scripted("One.", "Two.")
        agent = react(model, enable_meta_tool=True)
        agent.toolkit.create_tool_group("more", "More tools.")
        answering = self.answering(agent)

        async def both() -> Any:
            return await asyncio.gather(ask_async(answering, "first"), ask_async(answering, "second"))

        texts = {answer.text for answer in asyncio.run(both())}
        self.assertEqual(texts, {"One.", "Two."})
        self.assertEqual([roles(prompt) for prompt in model.prompts], [["system", "user"]] * 2)
        self.assertEqual(len(agent.memory.content), 0)
        self.assertFalse(agent.toolkit.groups["more"].active)

    def test_meta_tool__of_a_run__changes_the_tools_of_that_run(self) -> None:
        model = Scripted([call("reset_equipped_tools", "c1")], "Done.")
        agent = react(model, enable_meta_tool=True)
        agent.toolkit.create_tool_group("more", "More tools.", active=True)
        ask(self.answering(agent), "switch")
        self.assertTrue(agent.toolkit.groups["more"].active)

    def test_plan__of_a_run__is_in_its_session_and_nowhere_else(self) -> None:
        task = {"name": "task", "description": "", "expected_outcome": ""}
        model = Scripted([call("create_plan", "c1", subtasks=[task], **{**task, "name": "plan"})], "Done.")
        agent = react(model, plan_notebook=PlanNotebook())
        answer = ask(self.answering(agent), "plan it")
        self.assertIn("'name': 'plan'", str(answer.state))
        self.assertIsNone(agent.plan_notebook.current_plan)

    def test_exception__of_the_model__is_raised_and_saves_nothing(self) -> None:
        answering = self.answering(react(Scripted(KeyError("key"))))
        with self.assertRaises(KeyError):
            ask(answering, "hi")

    def test_message__that_is_only_returned__is_written(self) -> None:
        class Echo(AgentBase):
            async def reply(self, messages: list[Msg]) -> Msg:
                return Msg("echo", f"{messages[-1].get_text_content()}!", "assistant")

        self.assertEqual(ask(self.answering(Echo()), "hi").text, "hi!")

    def test_run__cancelled_in_a_tool__leaves_a_memory_that_names_the_cause(self) -> None:
        reached = asyncio.Event()
        ended: list[bool] = []

        async def slow() -> ToolResponse:
            """Takes long."""
            reached.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(True)
            raise AssertionError

        saved: list[Any] = []

        class Kept(Run):
            async def load_state(self) -> Any:
                return None

            async def save_state(self, state: Any) -> None:
                saved.append(state)

            async def history(self, limit: int = 100) -> list[dict[str, Any]]:
                return []

        start = {"id": "r", "agent": "test", "user_id": "u", "session_id": "s", "request": {"input": []}}
        model = Scripted([call("slow", "c1"), call("slow", "c2")], "Two.")
        agent = react(model, slow)

        async def cancelled() -> None:
            task = asyncio.create_task(self.answering(agent)(Kept(1, start, lambda data: None, 1 << 60)))
            await reached.wait()
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            self.assertEqual(ended, [True])

        asyncio.run(cancelled())
        ended_early = {"type": "error", "status": "canceled", "message": "The time is over"}
        ask(self.answering(agent), "again", state=saved[-1], history=[ended_early])
        called, answered = [], []
        for message in model.prompts[-1]:
            called += [each["id"] for each in message.get("tool_calls", [])]
            answered += [message["tool_call_id"]] if message["role"] == "tool" else []
        self.assertEqual((called, sorted(answered)), (["c1", "c2"], ["c1", "c2"]))
        self.assertEqual(roles(model.prompts[-1])[:4], ["system", "assistant", "tool", "tool"])
        outputs = [str(message["content"]) for message in model.prompts[-1] if message["role"] == "tool"]
        for output in outputs:
            self.assertIn("The time is over", output)
            self.assertNotIn("by the user", output)


if __name__ == "__main__":
    unittest.main()
