"""The names of frameworks, and streams of text."""

from __future__ import annotations

import unittest

import golden

from agent_server import frameworks


class Names(unittest.TestCase):
    def test_framework__that_is_unknown__is_refused_with_those_that_exist(self) -> None:
        with self.assertRaisesRegex(ValueError, "there is no framework 'crewai': choose one of agentscope, .*, text"):
            frameworks.read("crewai", [])

    def test_text__with_nulls__is_one_message(self) -> None:
        found, _ = golden.ours({"framework": "text", "framework_stream": ["a", None, "b"]}, lambda each: each)
        self.assertEqual([golden.summary(message) for message in found], [("message", "ab")])

    def test_text__with_another_thing__is_refused(self) -> None:
        _, error = golden.ours({"framework": "text", "framework_stream": [1]}, lambda each: each)
        self.assertIsInstance(error, TypeError)


if __name__ == "__main__":
    unittest.main()
