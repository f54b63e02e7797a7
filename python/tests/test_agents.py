"""Agents, run without a server."""

import sys
import unittest
from pathlib import Path

from agent_server import AgentError, Run, StepFailed, ToolError, agent
from agent_server.testing import ask

sys.path.insert(0, str(Path(__file__).parents[2] / "tests/python"))

import agents  # noqa: E402
import durable  # noqa: E402


class Agents(unittest.TestCase):
    def test_exit__of_an_agent__fails_the_run(self) -> None:
        async def leaves(run: Run) -> None:
            sys.exit(3)

        def leaves_its_thread(run: Run) -> None:
            sys.exit("enough")

        for function, shown in ((leaves, "3"), (leaves_its_thread, "'enough'")):
            with self.subTest(shown), self.assertRaisesRegex(RuntimeError, f"called sys.exit.{shown}"):
                ask(function)

    def test_function__that_cannot_be_an_agent__is_refused_by_name(self) -> None:
        async def none() -> None: ...

        async def two(run: Run, other: str) -> None: ...

        for function in (none, two):
            with self.assertRaisesRegex(TypeError, rf"{function.__name__}\(.*cannot be an agent"):
                agent(function)  # type: ignore[type-var]
        with self.assertRaisesRegex(TypeError, r"to name one, write @agent\(name"):
            agent("bob")  # type: ignore[call-overload]
        with self.assertRaisesRegex(ValueError, "'restart' is none of give_up, start_over, continue"):
            agent(recovery="restart")(two)  # type: ignore[call-overload]

    def test_forms__all__answer(self) -> None:
        self.assertEqual(ask(agents.echo, "a ü").text, "a ü ")
        self.assertEqual(ask(agents.returns, "a ü").text, "A Ü")
        self.assertEqual(ask(agents.yields, "a ü").text, "a ü ")

    def test_messages__of_every_kind__are_there(self) -> None:
        answer = ask(agents.everything)
        self.assertEqual(
            [message.kind for message in answer.messages],
            ["reasoning", "plugin_call", "plugin_call_output", "message"],
        )
        self.assertTrue(all(message.is_closed for message in answer.messages))
        self.assertEqual(answer.messages[1].text, '{"a": 1, "b": 2}')
        self.assertEqual(answer.messages[2].output, '{"sum": 3}')
        self.assertEqual(answer.messages[3].data, {"sum": 3})
        self.assertEqual(answer.events, [{"object": "own", "value": 1}])

    def test_steps_and_questions__given__are_not_repeated(self) -> None:
        first = ask(durable.mailer)
        self.assertEqual((first.asked, first.text), ("to", "To whom?"))
        self.assertEqual(first.steps, {"draft": {"draft": "Dear Ann", "number": 7}})
        known = {"draft": {"draft": "Dear Bob", "number": 8}}
        second = ask(durable.mailer, steps=known, answers={"to": "Bob"})
        self.assertEqual((second.asked, second.text), ("send", "Send 'Dear Bob' to Bob?"))
        answers = {"to": "Bob", "send": "yes"}
        self.assertEqual(ask(durable.mailer, steps=known, answers=answers).text, "sent to Bob, draft 8")
        answers["send"] = "no"
        self.assertEqual(ask(durable.mailer, steps=known, answers=answers).text, "Not sent.")

    def test_step__that_fails__raises_its_error(self) -> None:
        async def fails(run: Run) -> str:
            errors = []
            for key, effect in (("a", "pure"), ("a", "pure"), ("b", "once")):
                try:
                    await run.step(key, lambda: {}["x"], effect=effect)  # type: ignore[call-overload]
                except (KeyError, StepFailed) as error:
                    errors.append(repr(error))
            return " ".join(errors)

        self.assertEqual(ask(fails).text, "KeyError('x') KeyError('x') StepFailed(\"KeyError: 'x'\")")

    def test_state__given__is_changed(self) -> None:
        answer = ask(agents.remembers, state={"turns": 4}, history=[{"role": "user", "content": []}])
        self.assertEqual((answer.text, answer.state), ("turn 5 after 1 messages", {"turns": 5}))

    def test_tools__given__are_called_or_refuse(self) -> None:
        async def librarian(run: Run) -> str:
            (tool,) = await run.tools()
            said = await run.call_tool(tool.name, {"path": "."})
            try:
                await run.call_tool("paint")
            except ToolError as error:
                return f"{tool.description} {said} {error}"
            return "no error"

        def look(path: str) -> list[str]:
            """Looks."""
            return [path, "figs"]

        self.assertEqual(ask(librarian, tools={"look": look}).text, "Looks. ['.', 'figs'] there is no tool 'paint'")

    def test_memories_and_children__given__are_found(self) -> None:
        async def knows(run: Run) -> str:
            await run.remember("Ann likes figs")
            child = await run.child("translator", "figs")
            return f"{await run.recall('figs')} {child['output'][0]['content'][0]['text']}"

        answer = ask(knows, memories=["Bob likes nuts"], children=lambda agent, text: f"{agent}: {text}")
        self.assertEqual(answer.text, "['Ann likes figs'] translator: figs")

    def test_errors__of_the_agent__are_raised(self) -> None:
        with self.assertRaises(ValueError):
            ask(agents.fails)
        with self.assertRaises(AgentError) as raised:
            ask(agents.refuses)
        self.assertEqual((raised.exception.code, raised.exception.status), ("DAILY_LIMIT", 429))

    def test_results__that_are_no_text__are_refused(self) -> None:
        async def returns_a_number(run: Run) -> int:
            return 1

        async def yields_a_number(run: Run):  # type: ignore[no-untyped-def]
            yield 1

        for handler in [returns_a_number, yields_a_number]:
            with self.assertRaisesRegex(TypeError, "text"):
                ask(handler)

    def test_text__with_half_a_character__is_written(self) -> None:
        async def writes_halves(run: Run) -> str:
            async with run.message() as message:
                await message.data({"half": "\ud83d"})
            return "half \ud83d"

        answer = ask(writes_halves)
        self.assertEqual((answer.text, answer.messages[0].data), ("half ?", {"half": "?"}))

    def test_data__that_is_no_json__is_refused(self) -> None:
        async def saves_nan(run: Run) -> None:
            await run.save_state(float("nan"))

        with self.assertRaises(ValueError):
            ask(saves_nan)

    def test_agent__without_a_run_or_twice__is_refused(self) -> None:
        with self.assertRaises(TypeError):

            @agent  # type: ignore[type-var]
            def nothing() -> None: ...

        with self.assertRaisesRegex(ValueError, "two agents"):

            @agent(name="echo")
            async def other(run: Run) -> None: ...


if __name__ == "__main__":
    unittest.main()
