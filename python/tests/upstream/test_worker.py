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

    def test_endpoints_and_tasks__over_http__answer(self) -> None:
        with Peer(SCRIPTS / "endpoints.py") as worker:
            self.assertTrue(worker.receive(_wire.READY)["http"])
            ask = worker.request
            message = {"role": "user", "content": [{"type": "text", "text": "hi"}]}
            self.assertEqual(ask("POST", "/sync", {"input": [message]}), (200, {"status": "ok", "texts": ["hi"]}))
            self.assertEqual(ask("PUT", "/order", {"what": "tea"}), (200, {"what": "tea"}))
            self.assertEqual(ask("PUT", "/order", {})[0], 422)
            self.assertEqual(ask("DELETE", "/order"), (405, {"detail": "Method Not Allowed"}))
            self.assertEqual(ask("GET", "/nothing"), (404, {"detail": "Not Found"}))
            events = 'data: "x 0"\n\ndata: "x 1"\n\ndata: {"x": 1}\n\n'
            self.assertEqual(ask("POST", "/stream_async", {"what": "x"}), (200, events))
            submitted = ask("POST", "/task", {"number": 4})[1]
            self.assertEqual((submitted["status"], submitted["queue"]), ("submitted", "celery1"))
            task = f"/task/{submitted['task_id']}"
            while (state := ask("GET", task)[1])["status"] != "finished":
                self.assertEqual(state["status"], "running")
            self.assertEqual(state["result"], {"double": 8})

    def test_lifespan__its_state__is_the_requests(self) -> None:
        with Peer(SCRIPTS / "lifespan.py") as worker:
            worker.receive(_wire.READY)
            self.assertEqual(worker.request("GET", "/prepared"), (200, {"connection": "ready"}))

    def test_middleware__decides_what_the_server_may_answer(self) -> None:
        with Peer(SCRIPTS / "guarded.py") as worker:
            ready = worker.receive(_wire.READY)
            self.assertEqual((ready["checks"], ready["endpoint_path"]), (True, "/chat"))
            self.assertEqual(worker.request("POST", "/v1/responses", check=True), (401, {"detail": "Wrong key"}))
            self.assertIsNone(worker.passed)
            key = ("x-api-key", "secret")
            self.assertEqual(worker.request("POST", "/v1/responses", check=True, headers=[key]), (200, ""))
            self.assertEqual(worker.passed, [["x-checked-by", "script"]])
            self.assertEqual(worker.request("GET", "/own"), (401, {"detail": "Wrong key"}))
            self.assertEqual(worker.request("GET", "/own", headers=[key]), (200, {"own": True}))

    def test_dependencies__of_the_query_function__know_the_request(self) -> None:
        with Peer(SCRIPTS / "guarded.py") as worker:
            worker.receive(_wire.READY)
            ann, nobody = (["authorization", f"Bearer {name}"] for name in ("ann", "nobody"))
            worker.ask("guarded", "Hi", http={"headers": [ann], "query": "room=2%2B1"})
            self.assertEqual(worker.text(), "Bearer ann in 2+1")
            worker.ask("guarded", "Hi", 2, http={"headers": [nobody], "query": ""})
            refused = {"message": "Nobody may not ask", "code": "REQUEST_REFUSED", "status": 403}
            self.assertEqual(worker.receive(_wire.DONE), {"status": "failed", "error": refused})
            worker.ask("guarded", "Hi", 3, http={"headers": [], "query": ""})
            error = worker.receive(_wire.DONE)["error"]
            self.assertEqual((error["status"], "authorization" in error["message"]), (422, True))


if __name__ == "__main__":
    unittest.main()
