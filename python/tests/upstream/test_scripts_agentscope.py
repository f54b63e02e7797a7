"""Scripts with agents of AgentScope 1.x, and a scripted model."""

import asyncio
import json
import unittest
from pathlib import Path
from typing import Any

from agent_server.testing import Answer, Said

from harness import ask_script, served

RECORDINGS = Path(__file__).parents[3] / "tests/golden/http"

# Upstream writes the end of a text after a thought to a second content.
SPLIT = ("think", ("message", "Ans", "wer"), ("message", "Answer"))


def said(message: Said) -> tuple[str, ...]:
    """A message in short: its type, and its text, or the output of its tool."""
    return (message.kind, message.output if message.output is not None else message.text)


class Scripts(unittest.TestCase):
    def test_agent__with_a_tool__keeps_history_and_state(self) -> None:
        module, (first,) = ask_script("agentscope_react", "How is it?", frameworks=None)
        output = '[{"type": "text", "text": "sun in Paris"}]'
        turn = [("reasoning", "hm"), ("plugin_call", '{"city": "Paris"}'), ("plugin_call_output", output)]
        self.assertEqual([said(message) for message in first.messages], [*turn, ("message", "Sunny (1)")])
        self.assertTrue(all(message.is_closed for message in first.messages))
        self.assertIn("1", first.state["agentscope_runtime.rounds"])
        _module, (second,) = ask_script("agentscope_react", "And now?", frameworks=None, history=_as_history(first))
        self.assertEqual([said(message) for message in second.messages][-1], ("message", "Sunny (2)"))

    def test_agent__that_is_stopped__saves_its_memory(self) -> None:
        async def stopped() -> Any:
            async with served("agentscope_interrupt", None) as script:
                asking = asyncio.create_task(script.ask("Hi"))
                while not script.module.model.seen:
                    await asyncio.sleep(0)
                await script.module.agent_app.stop_chat("user", "session")
                with self.assertRaises(asyncio.CancelledError):
                    await asking
                return script.module.saved

        (memory,) = asyncio.run(stopped())
        self.assertEqual(memory[0], "Hi")

    def test_runner__with_an_agent__answers_in_a_program_and_when_served(self) -> None:
        module, (answer,) = ask_script("agentscope_runner", "Hi", frameworks=None)
        self.assertEqual(answer.text, "Sunny (1)")
        self.assertEqual(asyncio.run(module.main()), ["Sunny (1)"])

    def test_items__of_every_recording__are_upstreams(self) -> None:
        for version in ("", "v115_"):
            for kind in ("text", "think", "tool", "str", "raise"):
                with self.subTest(version + kind):
                    ours, error = _answered(kind)
                    theirs, their_error = _recorded(f"{version}process_agentscope_{kind}")
                    wanted = [SPLIT[2] if kind == SPLIT[0] and each == SPLIT[1] else each for each in theirs]
                    self.assertEqual((ours, error), (wanted, their_error))


def _as_history(answer: Answer) -> list[dict[str, Any]]:
    return [
        {"role": "user", "content": [{"type": "text", "text": "How is it?"}]},
        {"role": "assistant", "content": [{"type": "text", "text": answer.text}]},
    ]


def _answered(kind: str) -> tuple[list[tuple[str, ...]], Any]:
    """The complete messages of the script, and its error."""
    from agentscope_runtime.engine.schemas.agent_schemas import Event

    async def events() -> list[Event]:
        message = {"role": "user", "content": [{"type": "text", "text": kind}]}
        async with served("agentscope_items", None) as script:
            return [event async for event in script.module.app.runner.stream_query({"input": [message]})]

    return _summary([event.model_dump(mode="json") for event in asyncio.run(events())])


def _recorded(name: str) -> tuple[list[tuple[str, ...]], Any]:
    lines = (RECORDINGS / name / "response.http").read_text("utf-8").splitlines()
    return _summary([json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")])


def _summary(events: list[dict[str, Any]]) -> tuple[list[tuple[str, ...]], Any]:
    messages = events[-1]["output"] or []
    return [(message["type"], *map(_value, message["content"])) for message in messages], events[-1]["error"]


def _value(content: dict[str, Any]) -> str:
    return content["text"] if content["type"] == "text" else json.dumps(content["data"], sort_keys=True)


if __name__ == "__main__":
    unittest.main()
