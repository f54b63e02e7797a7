"""Scripts of agentscope-runtime with agents of frameworks, each as an app and as a class of runners."""

import sys
import unittest
from pathlib import Path

from agent_server.testing import Said

sys.path.append(str(Path(__file__).parents[1] / "upstream"))

from harness import ask_script  # noqa: E402

CALL = ("plugin_call", '{"location": "Paris"}')
OUTPUT = ("plugin_call_output", "sun in Paris")


def said(message: Said) -> tuple[str, str]:
    """A message in short: its type, and its text, or the output of its tool."""
    return (message.kind, message.output if message.output is not None else message.text)


class Scripts(unittest.TestCase):
    def test_scripts__with_agents_of_each_framework__write_what_these_say(self) -> None:
        for script, expected in {
            "langgraph_agent": [("message", "Let me see."), CALL, OUTPUT, ("message", "sun in Paris, asked 1x")],
            "langgraph_graph": [("message", "Hi and cats"), ("message", "A joke about Hi and cats")],
            "langgraph_runner": [("message", "Let me see."), CALL, OUTPUT, ("message", "sun in Paris, asked 1x")],
            "agno_app": [CALL, ("plugin_call_output", '"sun in Paris"'), ("message", "Sunny, asked 1x")],
            "agno_runner": [("message", "Sunny, asked 1x")],
            "autogen_app": [CALL, OUTPUT, ("message", "Sunny")],
            "autogen_runner": [("message", "I am Ann"), ("message", "I am Bob")],
        }.items():
            with self.subTest(script):
                _module, (answer,) = ask_script(script, "Hi", frameworks=None)
                self.assertEqual([said(message) for message in answer.messages], expected)
                self.assertTrue(all(message.is_closed for message in answer.messages))

    def test_second_turn__of_an_agent_with_a_checkpointer_or_a_database__has_the_first(self) -> None:
        for script in ("langgraph_agent", "agno_app"):
            with self.subTest(script):
                _module, answers = ask_script(script, "Hi", "And now?", frameworks=None)
                self.assertRegex(answers[1].text, "asked 2x$")


if __name__ == "__main__":
    unittest.main()
