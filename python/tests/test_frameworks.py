"""The names of frameworks, and streams of text."""

import subprocess
import sys
import unittest
from typing import Any, AsyncIterator

from agent_server import Run, frameworks
from agent_server.testing import Answer, ask


def written(*items: Any) -> Answer:
    """What is written for a stream of texts."""

    async def stream() -> AsyncIterator[Any]:
        for item in items:
            yield item

    async def agent(run: Run) -> None:
        await frameworks.write(run, "text", stream())

    return ask(agent)


class Frameworks(unittest.TestCase):
    def test_framework__that_is_unknown__is_refused_with_those_that_exist(self) -> None:
        with self.assertRaisesRegex(ValueError, "there is no framework 'crewai': choose one of agentscope, .*, text"):
            frameworks.read("crewai", [])

    def test_package__imported__imports_no_framework(self) -> None:
        script = "import sys, agent_server.frameworks as f; f.handler(object()); print(sorted(sys.modules))"
        known = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
        for package in frameworks._PACKAGES:
            self.assertNotIn(f"'agent_server.frameworks.{package}'", known)

    def test_text__in_pieces__is_one_message(self) -> None:
        self.assertEqual([message.text for message in written("a", None, "b").messages], ["ab"])
        self.assertEqual([message.text for message in written().messages], [""])

    def test_text__with_something_else__is_refused(self) -> None:
        with self.assertRaisesRegex(TypeError, "has strings, not int"):
            written(1)

    def test_text__read__is_the_messages(self) -> None:
        messages = [{"role": "user", "content": []}]
        self.assertEqual(frameworks.read("text", messages), messages)


if __name__ == "__main__":
    unittest.main()
