"""The file ``langgraph.json``."""

import json
import tempfile
import unittest
from pathlib import Path
from typing import Any

from agent_server.frameworks.langgraph import read_config


class Configs(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name).resolve()
        (self.folder / "src").mkdir()
        (self.folder / "src/agent.py").touch()
        (self.folder / ".env").write_text('A=1\n# no\nexport B="x # y"\nC=z # why\n\n')

    def write(self, config: Any) -> Path:
        path = self.folder / "langgraph.json"
        path.write_text(config if isinstance(config, str) else json.dumps(config))
        return path

    def test_config__of_every_form__is_read(self) -> None:
        graphs = {"a": "./src/agent.py:graph", "b": {"path": "src.agent:make", "description": "b"}}
        config = read_config(self.write({"graphs": graphs, "dependencies": [".", "httpx>=0.27"], "env": ".env"}))
        file = self.folder / "src/agent.py"
        self.assertEqual(
            [(graph.name, graph.file, graph.variable) for graph in config.graphs],
            [("a", file, "graph"), ("b", file, "make")],
        )
        self.assertEqual(config.dependencies, (str(self.folder), "httpx>=0.27"))
        self.assertEqual(config.environment, {"A": "1", "B": "x # y", "C": "z"})
        inline = read_config(self.write({"graphs": graphs, "env": {"A": "b"}}))
        self.assertEqual((inline.environment, inline.dependencies), ({"A": "b"}, ()))

    def test_config__with_a_mistake__says_what_to_do(self) -> None:
        good = {"a": "./src/agent.py:graph"}
        cases: list[tuple[Any, str]] = [
            ("{", "not JSON"),
            ({}, "name the graphs"),
            ({"graphs": {"a": "./src/agent.py"}}, 'write it as "./file.py:variable"'),
            ({"graphs": {"a": 1}}, 'write it as "./file.py:variable"'),
            ({"graphs": {"a": "./none.py:graph"}}, "no such file"),
            ({"graphs": {"a": "./agent.ts:graph"}}, "only graphs in Python files"),
            ({"graphs": good, "dependencies": "."}, "as a list"),
            ({"graphs": good, "dependencies": ["./lib"]}, "no folder"),
            ({"graphs": good, "env": "none"}, "does not exist"),
            ({"graphs": good, "env": 1}, "as the path of a file"),
        ]
        for config, message in cases:
            with self.subTest(config=config), self.assertRaisesRegex(ValueError, message):
                read_config(self.write(config))
        with self.assertRaisesRegex(ValueError, "no such file"):
            read_config(self.folder / "other.json")


if __name__ == "__main__":
    unittest.main()
