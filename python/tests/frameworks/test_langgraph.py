"""Graphs of LangGraph that answer runs."""

import asyncio
import unittest
from typing import Any

from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_stream_writer
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from langgraph.types import interrupt

from agent_server.frameworks import langgraph
from agent_server.testing import Answer, ask, ask_async
from recorder import cancel_once
from scripted_chat_model import ScriptedModel, call, usage


@tool
def search(q: str) -> str:
    """Searches."""
    return f"found {q}"


@tool
def fails(q: str) -> str:
    """Fails."""
    raise ConnectionError("no network")


def agent_graph(model: ScriptedModel, *tools: Any, **options: Any) -> Any:
    """A graph with a model and its tools."""

    async def answer(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await model.ainvoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("model", answer)
    graph.add_node("tools", ToolNode(tools or [search], handle_tool_errors=False))
    graph.add_edge(START, "model")
    graph.add_conditional_edges("model", tools_condition)
    graph.add_edge("tools", "model")
    return graph.compile(**options)


def handler(graph: Any) -> Any:
    found = langgraph.handler(graph)
    assert found is not None
    return found


def kinds(answer: Answer) -> list[tuple[str, str]]:
    """The messages: their types, and their texts or outputs."""
    return [(said.kind, said.output if said.output is not None else said.text) for said in answer.messages]


class Handlers(unittest.TestCase):
    def test_handler__of_something_else__is_none(self) -> None:
        for candidate in (None, "graph", StateGraph(MessagesState), InMemorySaver(), MessagesState):
            self.assertIsNone(langgraph.handler(candidate))

    def test_graph__with_two_rounds_of_tools__writes_all_of_them(self) -> None:
        script = [
            ["Let me ", "see", call("c1", "search", '{"q"'), call(None, None, ': "x"}'), usage(3, 4)],
            [call("c2", "search", '{"q": "y"}'), call("c3", "search", '{"q": "z"}', 1)],
            ["The ", "answer", usage(5, 6)],
        ]
        model = ScriptedModel(script=script)
        answer = ask(handler(agent_graph(model)), "hi")
        self.assertEqual(
            kinds(answer),
            [
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
        used = [said.usage["total_tokens"] for said in answer.messages if said.usage]
        self.assertEqual((used, answer.messages[1].usage["input_tokens"]), ([7, 11], 3))
        self.assertTrue(all(said.is_closed for said in answer.messages))

    def test_graph__without_a_checkpointer__gets_the_history(self) -> None:
        history = [
            {"role": "user", "content": [{"type": "text", "text": "before"}]},
            _call("c1"),
            {"type": "error", "role": "assistant", "status": "canceled", "message": "The run was canceled"},
        ]
        model = ScriptedModel(script=[["ok"]])
        ask(handler(agent_graph(model)), "now", history=history)
        self.assertEqual([message.type for message in model.seen[0]], ["human", "ai", "tool", "human"])
        self.assertIn("The run was canceled", model.seen[0][2].content)
        self.assertEqual((model.seen[0][0].content, model.seen[0][3].content), ("before", "now"))

    def test_graph__with_a_checkpointer__keeps_the_conversation(self) -> None:
        model = ScriptedModel(script=[["one"], ["two"]])
        answer = handler(agent_graph(model, checkpointer=InMemorySaver()))
        ask(answer, "first")
        ask(answer, "second", history=[{"role": "user", "content": [{"type": "text", "text": "first"}]}])
        self.assertEqual([message.content for message in model.seen[1]], ["first", "one", "second"])

    def test_blocks__of_every_kind__become_contents(self) -> None:
        reasoning: list[Any] = [{"type": "reasoning", "reasoning": "hmm"}, {"type": "thinking", "thinking": "!"}]
        image = [{"type": "text", "text": "see "}, {"type": "image_url", "image_url": {"url": "http://x/a.png"}}]
        model = ScriptedModel(script=[[reasoning, image, [{"type": "text", "text": "that"}]]])
        answer = ask(handler(agent_graph(model)), "hi")
        self.assertEqual(kinds(answer), [("reasoning", "hmm!"), ("message", "see that")])
        self.assertEqual(answer.messages[1].contents, [{"type": "image", "image_url": "http://x/a.png"}])

    def test_nodes__that_return_raw_messages__say_them(self) -> None:
        for returned in (
            [("ai", "Good morning")],
            [{"role": "assistant", "content": "Good morning"}],
            ("ai", "Good morning"),
        ):
            graph = StateGraph(MessagesState)
            graph.add_node("greet", lambda state, returned=returned: {"messages": returned})
            graph.add_edge(START, "greet")
            for compiled in (graph.compile(), graph.compile(checkpointer=InMemorySaver())):
                self.assertEqual(kinds(ask(handler(compiled), "hi")), [("message", "Good morning")])

    def test_nodes__without_a_model__say_each_text_once(self) -> None:
        def plain(state: MessagesState) -> dict[str, Any]:
            get_stream_writer()({"progress": 1})
            return {"messages": [*state["messages"], AIMessage("plain")]}

        model = ScriptedModel(script=[["stre", "amed"], ["again"]])

        async def ask_model(state: MessagesState) -> dict[str, Any]:
            return {"messages": [await model.ainvoke(state["messages"])]}

        inner = StateGraph(MessagesState)
        inner.add_node("ask_model", ask_model)
        inner.add_edge(START, "ask_model")
        graph = StateGraph(MessagesState)
        graph.add_node("plain", plain)
        graph.add_node("inner", inner.compile())
        graph.add_edge(START, "plain")
        graph.add_edge("plain", "inner")
        compiled = handler(graph.compile(checkpointer=InMemorySaver()))
        answer = ask(compiled, "hi")
        self.assertEqual(kinds(answer), [("message", "plain"), ("message", "streamed")])
        self.assertEqual(answer.events, [{"object": "langgraph.custom", "data": {"progress": 1}}])
        self.assertEqual(kinds(ask(compiled, "more")), [("message", "plain"), ("message", "again")])

    def test_nodes__at_once__keep_their_messages_apart(self) -> None:
        models = {name: ScriptedModel(script=[[name, name, name]]) for name in "ab"}
        graph = StateGraph(MessagesState)
        for name, model in models.items():

            async def answer(state: MessagesState, model: ScriptedModel = model) -> dict[str, Any]:
                return {"messages": [await model.ainvoke(state["messages"])]}

            graph.add_node(name, answer)
            graph.add_edge(START, name)
        answered = ask(handler(graph.compile()), "hi")
        self.assertEqual(sorted(kinds(answered)), [("message", "aaa"), ("message", "bbb")])

    def test_users__whose_names_could_be_confused__have_different_threads(self) -> None:
        graph = agent_graph(ScriptedModel(script=[["a"], ["b"]]), checkpointer=InMemorySaver())

        async def of_another(run: Any) -> None:
            run.user_id, run.session_id = "user/session", "session"
            await handler(graph)(run)

        async def of_one(run: Any) -> None:
            run.user_id, run.session_id = "user", "session/session"
            await handler(graph)(run)

        ask(of_one, "secret")
        ask(of_another, "mine")
        self.assertEqual(len(set(checkpoint for checkpoint in graph.checkpointer.storage)), 2)

    def test_graph__without_messages__says_what_to_do(self) -> None:
        graph = StateGraph(dict)
        graph.add_node("a", lambda state: state)
        graph.add_edge(START, "a")
        with self.assertRaisesRegex(TypeError, "no state key 'messages'.*@agent"):
            ask(handler(graph.compile()), "hi")

    def test_error__of_a_node__is_raised(self) -> None:
        model = ScriptedModel(script=[["Hel", RuntimeError("boom")]])
        with self.assertRaisesRegex(RuntimeError, "boom"):
            ask(handler(agent_graph(model)), "hi")


    def test_node__after_the_last_word__has_ended_when_the_run_has(self) -> None:
        saved: list[int] = []

        async def save(state: MessagesState) -> None:
            await asyncio.sleep(0)
            saved.append(len(state["messages"]))

        model = ScriptedModel(script=[["Hel", "lo"]])
        graph = StateGraph(MessagesState)
        graph.add_node("speak", lambda state: {"messages": [model.invoke(state["messages"])]})
        graph.add_node("save", save)
        graph.add_edge(START, "speak")
        graph.add_edge("speak", "save")
        self.assertEqual((ask(handler(graph.compile()), "hi").text, saved), ("Hello", [2]))


class CutOff(unittest.TestCase):
    def test_call__of_a_failed_tool__has_its_error_in_the_next_turn(self) -> None:
        script = [[call("c1", "fails", '{"q": "x"}'), call("c2", "search", '{"q": "y"}', 1)], ["sorry"]]
        model = ScriptedModel(script=script)
        answer = handler(agent_graph(model, search, fails, checkpointer=InMemorySaver()))
        with self.assertRaises(ConnectionError):
            ask(answer, "hi")
        self.assertEqual(ask(answer, "again").text, "sorry")
        outputs = {message.tool_call_id: message for message in model.seen[1] if isinstance(message, ToolMessage)}
        self.assertIn("no network", outputs["c1"].content)
        self.assertEqual(set(outputs), {"c1", "c2"})
        self.assertEqual([message.type for message in model.seen[1]], ["human", "ai", "tool", "tool", "human"])

    def test_call__of_a_cancelled_run__says_so_in_the_next_turn(self) -> None:
        async def conversation() -> ScriptedModel:
            started = asyncio.Event()

            @tool
            async def waits(q: str) -> str:
                """Waits."""
                started.set()
                await asyncio.get_running_loop().create_future()
                return q

            model = ScriptedModel(script=[[call("c1", "waits", '{"q": "x"}')], ["sorry"]])
            answer = handler(agent_graph(model, waits, checkpointer=InMemorySaver()))
            task = asyncio.create_task(ask_async(answer, "hi"))
            await started.wait()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            mark = {"type": "error", "status": "canceled", "message": "The user has cancelled the run"}
            self.assertEqual((await ask_async(answer, "again", history=[_call("c1"), mark])).text, "sorry")
            return model

        model = asyncio.run(conversation())
        self.assertEqual([message.type for message in model.seen[1]], ["human", "ai", "tool", "human"])
        self.assertIn("The user has cancelled the run", model.seen[1][2].content)
        self.assertEqual(model.seen[1][2].status, "error")

    def test_run__that_is_cancelled__leaves_no_task(self) -> None:
        async def cancel() -> int:
            started = asyncio.Event()

            @tool
            async def waits() -> None:
                """Waits."""
                started.set()
                await asyncio.get_running_loop().create_future()

            graph = agent_graph(ScriptedModel(script=[[call("c1", "waits", "{}")]]), waits)
            return await cancel_once(started, ask_async(handler(graph), "hi"))

        self.assertEqual(asyncio.run(cancel()), 0)

    def test_run__that_starts_again__continues_the_thread(self) -> None:
        model = ScriptedModel(script=[[call("c1", "flaky", "{}")], ["done"]])
        tries: list[int] = []

        @tool
        def flaky() -> str:
            """Fails once."""
            tries.append(1)
            if len(tries) == 1:
                raise ConnectionError("no network")
            return "worked"

        answer = handler(agent_graph(model, flaky, checkpointer=InMemorySaver()))
        with self.assertRaises(ConnectionError):
            ask(answer, "hi")

        async def second_attempt(run: Any) -> None:
            run.attempt = 2
            await answer(run)

        self.assertEqual(kinds(ask(second_attempt, "hi")), [("plugin_call_output", "worked"), ("message", "done")])
        self.assertEqual([message.type for message in model.seen[1]], ["human", "ai", "tool"])


class Interrupts(unittest.TestCase):
    def test_interrupts__at_once__resume_once_all_are_answered(self) -> None:
        executed: list[str] = []

        def node(name: str) -> Any:
            def ask_user(state: MessagesState) -> dict[str, Any]:
                executed.append(name)
                answer = interrupt(f"{name}?")
                return {"messages": [AIMessage(f"{name}: {answer}")]}

            return ask_user

        graph = StateGraph(MessagesState)
        for name in ("age", "name"):
            graph.add_node(name, node(name))
            graph.add_edge(START, name)
        answer = handler(graph.compile(checkpointer=InMemorySaver()))
        answers: dict[str, str] = {}
        for text in ("7", "Ann"):
            asked = ask(answer, "hi", answers=answers)
            assert asked.asked is not None
            answers[asked.asked] = text
        self.assertEqual((len(answers), len(executed)), (2, 2))
        answered = ask(answer, "Ann", answers=answers)
        self.assertEqual(len(executed), 4)
        self.assertEqual(sorted(said.text for said in answered.messages), ["age: 7", "name: Ann"])

    def test_approvals__at_once__reach_their_own_tools_in_either_order(self) -> None:
        def node(name: str) -> Any:
            def pay(state: MessagesState) -> dict[str, Any]:
                approved = interrupt({"tool": name, "args": {}})
                return {"messages": [AIMessage(f"{name}: {approved}")]}

            return pay

        def paying() -> Any:
            graph = StateGraph(MessagesState)
            for name in ("rent", "fine"):
                graph.add_node(name, node(name))
                graph.add_edge(START, name)
            return handler(graph.compile(checkpointer=InMemorySaver()))

        for is_reversed in (False, True):
            answer, keys, answers = paying(), {}, dict[str, str]()
            first = ask(answer, "pay")
            assert first.asked is not None
            keys["rent" if "rent" in first.text else "fine"] = first.asked
            second = ask(answer, "", answers={first.asked: "yes"})
            assert second.asked is not None
            keys["rent" if "rent" in second.text else "fine"] = second.asked
            self.assertEqual(set(keys), {"rent", "fine"})
            given = {"rent": "yes", "fine": "no"}
            for name in sorted(given, reverse=is_reversed):
                answers[keys[name]] = given[name]
                answered = ask(answer, given[name], answers=answers)
            self.assertEqual({said.text for said in answered.messages}, {"rent: True", "fine: False"})

    def test_node__with_two_interrupts__is_executed_once_for_each_answer(self) -> None:
        effects: list[str] = []

        def ask_user(state: MessagesState) -> dict[str, Any]:
            effects.append("before the first")
            first = interrupt("First?")
            effects.append("before the second")
            return {"messages": [AIMessage(first + interrupt("Second?"))]}

        graph = StateGraph(MessagesState)
        graph.add_node("ask_user", ask_user)
        graph.add_edge(START, "ask_user")
        answer = handler(graph.compile(checkpointer=InMemorySaver()))
        first = ask(answer, "hi")
        # Without the answer, nothing is done again.
        self.assertEqual((ask(answer, "hi").asked, effects), (first.asked, ["before the first"]))
        assert first.asked is not None
        second = ask(answer, "a", answers={first.asked: "a"})
        assert second.asked is not None
        self.assertEqual(effects, ["before the first"] * 2 + ["before the second"])
        answers = {first.asked: "a", second.asked: "b"}
        self.assertEqual(ask(answer, "b", answers=answers).text, "ab")
        self.assertEqual((effects.count("before the first"), effects.count("before the second")), (3, 2))

    def test_interrupt__answered_without_a_session__resumes_its_thread(self) -> None:
        model = ScriptedModel(script=[[call("c1", "search", '{"q": "x"}')], ["done"]])
        answer = handler(agent_graph(model, checkpointer=InMemorySaver(), interrupt_before=["tools"]))
        asked = ask(answer, "hi")
        assert asked.asked is not None

        async def in_another_session(run: Any) -> None:
            run.session_id = run.user_id = "another"
            question = {"role": "assistant", "metadata": {"question": "mcpr_1"}, "content": []}
            run.request["input"] = [question, *run.input]
            await answer(run)

        answered = ask(in_another_session, "yes", steps=asked.steps, answers={asked.asked: "yes"})
        self.assertEqual(kinds(answered), [("plugin_call_output", "found x"), ("message", "done")])

    def test_interrupts__one_after_the_other_in_a_node__have_keys_of_their_own(self) -> None:
        def ask_user(state: MessagesState) -> dict[str, Any]:
            given: list[str] = []
            while len(given) < 3:
                given.append(interrupt("Next?"))
            return {"messages": [AIMessage(" ".join(given))]}

        inner = StateGraph(MessagesState)
        inner.add_node("ask_user", ask_user)
        inner.add_edge(START, "ask_user")
        graph = StateGraph(MessagesState)
        graph.add_node("inner", inner.compile())
        graph.add_edge(START, "inner")
        answer = handler(graph.compile(checkpointer=InMemorySaver()))
        answers: dict[str, str] = {}
        for text in ("a", "b", "c"):
            asked = ask(answer, text, answers=answers)
            assert asked.asked is not None
            self.assertNotIn(asked.asked, answers)
            answers[asked.asked] = text
        self.assertEqual(ask(answer, "c", answers=answers).text, "a b c")

    def test_interrupt__of_each_form__gets_an_answer_in_its_form(self) -> None:
        request = {"name": "pay", "args": {"sum": 3}, "description": "Pay 3?"}
        inbox = [{"action_request": {"action": "pay", "args": {"sum": 3}}, "config": {"allow_respond": True}}]
        cases: list[tuple[Any, str, Any]] = [
            ("Your name?", "Ann", "Ann"),
            ({"question": "Colour?", "choices": ["red"]}, '{"colour": "red"}', {"colour": "red"}),
            ({"tool": "pay", "args": {"sum": 3}}, "yes", True),
            ({"tool": "pay", "args": {"sum": 3}}, "no", False),
            ({"action_requests": [request], "review_configs": []}, "yes", {"decisions": [{"type": "approve"}]}),
            (
                {"action_requests": [request], "review_configs": []},
                "too much",
                {"decisions": [{"type": "reject", "message": "too much"}]},
            ),
            (inbox, "yes", [{"type": "accept", "args": None}]),
            (inbox, "too much", [{"type": "response", "args": "too much"}]),
        ]
        for value, text, expected in cases:
            with self.subTest(value=value, text=text):
                got: list[Any] = []

                def ask_user(state: MessagesState, value: Any = value, got: list[Any] = got) -> dict[str, Any]:
                    got.append(interrupt(value))
                    return {"messages": [AIMessage("done")]}

                graph = StateGraph(MessagesState)
                graph.add_node("ask_user", ask_user)
                graph.add_edge(START, "ask_user")
                answer = handler(graph.compile(checkpointer=InMemorySaver()))
                asked = ask(answer, "hi")
                assert asked.asked is not None
                self.assertEqual(ask(answer, text, answers={asked.asked: text}).text, "done")
                self.assertEqual(got, [expected])

    def test_interrupt__without_a_checkpointer__says_what_to_do(self) -> None:
        graph = StateGraph(MessagesState)
        graph.add_node("a", lambda state: {"messages": [AIMessage(interrupt("?"))]})
        graph.add_edge(START, "a")
        with self.assertRaisesRegex(RuntimeError, "compile it with a checkpointer"):
            ask(handler(graph.compile()), "hi")

    def test_breakpoint__before_the_tools__asks_for_approval(self) -> None:
        for text, output in (("yes", "found x"), ("not now", "the user has refused it: not now")):
            model = ScriptedModel(script=[[call("c1", "search", '{"q": "x"}')], ["done"]])
            graph = agent_graph(model, checkpointer=InMemorySaver(), interrupt_before=["tools"])
            answer = handler(graph)
            asked = ask(answer, "hi")
            self.assertEqual([said.kind for said in asked.messages], ["plugin_call", "message"])
            self.assertIn('search with {"q": "x"}', asked.text)
            assert asked.asked is not None
            answered = ask(answer, text, answers={asked.asked: text})
            self.assertEqual(answered.text, "done")
            self.assertIn(output, model.seen[1][-1].content)


def _call(call_id: str) -> dict[str, Any]:
    data = {"call_id": call_id, "name": "search", "arguments": '{"q": "x"}'}
    return {"type": "plugin_call", "role": "assistant", "content": [{"type": "data", "data": data}]}


if __name__ == "__main__":
    unittest.main()
