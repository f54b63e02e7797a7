"""Scripts that are programs: they run event loops, deploy, serve, exit and ask, as they do without a worker."""

import unittest

from agent_server import _wire

from harness import SCRIPTS
from peer import Peer


class Programs(unittest.TestCase):
    def test_program__that_serves_in_its_own_way__is_an_agent(self) -> None:
        for script, name, text in (
            ("deploys_at_once", "deployed", "Hi"),
            ("async_factory", "made-in-a-loop", "from a factory"),
            ("built_in_main", "built", "built"),
            ("built_in_loop", "looped", "from the queue"),
            ("uvicorns", "uvicorn", "served and more"),
            ("uvicorn_reload", "reloaded", "made"),
            ("uvicorn_server", "mounted", "mounted"),
            ("exits", "exits", "still here"),
            ("environment", "from-file", "Hello from-file"),
            ("layout/src/weather_agent/app", "layout", "sun in Paris True weather_agent.app"),
            ("future", "future", "from the future"),
            ("layout/main", "flat", "sun in Paris"),
            ("nested", "nested", "2 1 2"),
        ):
            with self.subTest(script), Peer(SCRIPTS / f"{script}.py") as worker:
                self.assertEqual(worker.receive(_wire.READY)["agents"], [{"name": name, "recovery": "give_up"}])
                worker.ask(name, "Hi")
                self.assertEqual(worker.text(), text)
                worker.drain()

    def test_program__that_exits_before_it_has_an_agent__says_why(self) -> None:
        for script, sentence in (
            ("exits_early", r"has called sys.exit\('usage: app.py NAME'\) before it had an agent, .*exits_early.py, line 7"),
            ("asks_early", r"has called input\(\) before .* a worker has no terminal: .*asks_early.py, line 4"),
        ):
            with self.subTest(script), Peer(SCRIPTS / f"{script}.py") as worker:
                self.assertRegex(worker.receive(_wire.FAILED)["message"], sentence)


if __name__ == "__main__":
    unittest.main()
