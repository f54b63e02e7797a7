"""The examples of the guide work as they stand."""

import re
import sys
import types
import unittest
from pathlib import Path
from typing import Any

from agent_server import _agents
from agent_server.testing import ask

GUIDE = Path(__file__).parents[2] / "docs/guides/python.md"


def without_fastapi() -> types.ModuleType:
    """Stands for a package that this environment need not have."""

    class FastAPI:
        def get(self, path: str) -> Any:
            return lambda handler: handler

    module = types.ModuleType("fastapi")
    module.__dict__["FastAPI"] = FastAPI
    return module


class Guide(unittest.TestCase):
    def test_examples__in_order__work(self) -> None:
        app = types.ModuleType("app")
        sys.modules["app"] = app
        names: dict[str, Any] = app.__dict__
        shop = sys.modules["shop"] = types.ModuleType("shop")
        shop.__dict__.update(look_up_price=lambda: 7, charge=lambda price: f"receipt of {price}")
        sys.modules.setdefault("fastapi", without_fastapi())
        blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
        for block in blocks:
            exec(compile(block, str(GUIDE), "exec"), names)
        self.assertIs(_agents.applications[-1].asgi, names["app"])
        names["test_assistant"]()
        answer = ask(names["calculator"])
        self.assertEqual(answer.text, "1 + 2 = 3")
        seller = names["seller"]
        self.assertEqual(ask(seller).asked, "charge")
        self.assertEqual(ask(seller, answers={"charge": "no"}).text, "As you wish.")
        sold = ask(seller, answers={"charge": "yes"})
        self.assertEqual((sold.text, sold.steps), ("Done: receipt of 7", {"price": 7, "charge": "receipt of 7"}))
