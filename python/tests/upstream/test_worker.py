"""Scripts of upstream in a real worker process."""

import unittest

from agent_server import _wire

from harness import SCRIPTS
from peer import Peer


class Workers(unittest.TestCase):
    def test_app__in_a_worker__lives_from_init_to_shutdown(self) -> None:
        with Peer(SCRIPTS / "lives.py") as worker:
            ready = worker.receive(_wire.READY)
            self.assertEqual(ready["agents"], [{"name": "lives", "recovery": "give_up"}])
            worker.ask("lives", "Hi")
            self.assertEqual(worker.receive(_wire.EVENT)["content"][0]["text"], "hello")
            self.assertEqual(worker.receive(_wire.DONE), {"status": "completed"})
            self.assertEqual(worker.drain().split(), ["init", "shutdown"])

    def test_cancel__of_a_run__reaches_the_query_function(self) -> None:
        with Peer(SCRIPTS / "cancels.py") as worker:
            worker.receive(_wire.READY)
            worker.ask("cancels", "Hi")
            worker.receive(_wire.EVENT)
            worker.send(_wire.CANCEL, {}, run=1)
            self.assertEqual(worker.receive(_wire.DONE), {"status": "canceled"})
            self.assertEqual(worker.drain().split(), ["saved"])

    def test_init__that_fails__is_reported(self) -> None:
        with Peer(SCRIPTS / "broken_init.py") as worker:
            failed = worker.receive(_wire.FAILED)
            self.assertEqual(failed["message"], "ConnectionError: no database (broken_init.py, line 9)")

    def test_missing_part__in_a_worker__is_reported(self) -> None:
        with Peer(SCRIPTS / "sandboxes.py") as worker:
            self.assertRegex(worker.receive(_wire.FAILED)["message"], "agent-server has no sandboxes: .*sandboxes.py")


if __name__ == "__main__":
    unittest.main()
