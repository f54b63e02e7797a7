"""Whether ``typed.py``, which a type checker reads, leaves nothing out."""

import re
import unittest
from pathlib import Path
from typing import Any

import agent_server
from agent_server import Agent, AgentError, Approval, Message, Run, ToolCall, testing
from agent_server.testing import Answer, Said, ask

import typed


def members(thing: Any) -> set[str]:
    """The public names of a class, or those that an object has itself."""
    names = dir(thing) if isinstance(thing, type) else vars(thing)
    return {name for name in names if not name.startswith("_")} - set(dir(Exception))


class Typed(unittest.TestCase):
    def test_public_names__all__are_used(self) -> None:
        runs: list[Run] = []
        ask(runs.append)
        objects = [runs[0], Agent("", print, "give_up"), AgentError("no"), Approval(True, ""), Answer(), Said("message")]
        things: list[Any] = [Run, Message, ToolCall, Agent, AgentError, Answer, Said, *objects]
        names = {"__version__", *agent_server.__all__, *testing.__all__}.union(*map(members, things))
        text = Path(typed.__file__).read_text()
        self.assertEqual([name for name in sorted(names) if not re.search(rf"\b{name}\b", text)], [])

    def test_answers__of_typed_agents__are_there(self) -> None:
        text, status = typed.checks()
        self.assertIn("{'object': 'own'}", text)
        self.assertIn("('name', {'awaited': 4, 'called': 'x'})", text)
        self.assertEqual(status, 400)


if __name__ == "__main__":
    unittest.main()
