"""What to do about a package that is missing."""

import sys
import tempfile
import unittest
from importlib import metadata
from pathlib import Path
from unittest.mock import patch

from agent_server import _missing
from agent_server._missing import remedy


class Missing(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "src").mkdir()
        patch.object(sys, "path", [str(self.folder / "src"), *sys.path]).start()
        patch.object(_missing, "_installer", return_value="INSTALL").start()
        self.addCleanup(patch.stopall)

    def check(self, module: str, command: str) -> None:
        self.assertEqual(remedy(module), f"install what is missing, for example with: {command}")

    def test_module__with_another_name_than_its_package__names_the_package(self) -> None:
        for module, package in {
            "dotenv": "python-dotenv",
            "PIL": "pillow",
            "google": "google-genai",
            "google.genai": "google-genai",
            "langgraph.checkpoint.sqlite": "langgraph-checkpoint-sqlite",
            "sklearn.svm": "scikit-learn",
            "not_known": "not_known",
        }.items():
            self.check(module, f"INSTALL {package}")

    def test_requirements__with_the_package__are_installed(self) -> None:
        file = self.folder / "requirements.txt"
        file.write_text("# all\nagentscope[full] >= 1.0\npython_dotenv==1.2\n-r more.txt\n")
        self.check("agentscope", f"INSTALL -r {file}")
        self.check("dotenv", f"INSTALL -r {file}")
        self.check("all", "INSTALL all")
        nearer = self.folder / "src/requirements.txt"
        nearer.write_text("langgraph\n")
        self.check("langgraph", f"INSTALL -r {nearer}")
        self.check("agentscope", "INSTALL agentscope")

    def test_module__of_an_installed_package__is_of_another_version(self) -> None:
        with patch.object(metadata, "version", return_value="1.0.20"):
            said = remedy("agentscope.agents")
        self.assertEqual(
            said, "agentscope 1.0.20 has no such module: install the version that the script was written for"
        )

    def test_installer__without_pip__is_uv(self) -> None:
        patch.stopall()
        for found, expected in ((None, f"uv pip install --python {sys.executable}"), (1, f"{sys.executable} -m pip install")):
            with patch("importlib.util.find_spec", return_value=found):
                self.assertTrue(remedy("not_known").endswith(f"{expected} not_known"))
