"""Scripts in the shapes that upstream's users write."""

import asyncio
import json
import sys
import unittest
from typing import Any

from agent_server import AgentError, _agents

from harness import Texts, ask_script, served, standing_in

HELLO = {"input": [{"role": "user", "content": [{"type": "text", "text": "hello"}]}]}
FRIDAY = [{"role": "user", "content": [{"type": "text", "text": "before"}]}]


class Scripts(unittest.TestCase):
    def test_hello__two_turns__keep_their_state(self) -> None:
        module, (first,) = ask_script("hello", "Hi", history=FRIDAY)
        self.assertEqual(first.text, "turn 1 after 1: Hi")
        self.assertEqual(first.state, {"agentscope_runtime.rounds": {"1": {"turn": 1}}})
        self.assertEqual((module.after, module.ended), ("reached", [True]))
        _module, (second,) = ask_script("hello", "Hi", state=first.state)
        self.assertEqual(second.text, "turn 2 after 0: Hi")

    def test_names__of_apps__become_those_of_agents(self) -> None:
        async def names(script: str) -> list[str]:
            async with served(script) as found:
                return found.names

        expected = {"hello": "Friday", "builders": "agent", "generator": "Slow-one", "own_runner": "agent"}
        for script, name in expected.items():
            self.assertEqual(asyncio.run(names(script)), [name])

    def test_events__built_by_the_script__are_passed_on(self) -> None:
        _module, (answer,) = ask_script("builders", "Hi")
        self.assertEqual([event["object"] for event in answer.events], ["message"] + ["content"] * 3 + ["message"])
        self.assertEqual(answer.events[-1]["content"][0]["text"], "Hello world")
        self.assertEqual(answer.messages, [])

    def test_query_functions__of_every_kind__answer(self) -> None:
        for script, text in {
            "own_runner": "You said: Hi",
            "generator": "one two",
            "coroutine": "Hi",
            "function": "HI",
            "deploys": "Hi",
        }.items():
            with self.subTest(script):
                _module, (answer,) = ask_script(script, "Hi")
                self.assertEqual(answer.text, text)

    def test_generator__that_is_not_asynchronous__runs_in_a_thread(self) -> None:
        import threading

        module, _answers = ask_script("generator", "Hi")
        self.assertIsNot(module.threads[0], threading.main_thread())

    def test_exceptions__of_upstream__have_their_code(self) -> None:
        for text, code, status in (("tool", "TOOL_NOT_FOUND", 422), ("model", "MODEL_TIMEOUT", 422)):
            with self.assertRaises(AgentError) as raised:
                ask_script("fails", text)
            self.assertEqual((raised.exception.code, raised.exception.status), (code, status))
        with self.assertRaises(KeyError):
            ask_script("fails", "other")

    def test_stream_query__of_a_runner__yields_events(self) -> None:
        module, _answers = ask_script("own_runner")
        with unittest.mock.patch.dict(sys.modules, {"agent_server.frameworks": Texts}):
            self.assertEqual(asyncio.run(module.main("hello")), ["You said: ", "hello"])

    def test_deployer__in_a_worker__registers(self) -> None:
        async def deployed() -> Any:
            async with served("deploys") as script:
                return await script.module.main()

        found = asyncio.run(deployed())
        self.assertEqual(found["url"], "http://127.0.0.1:8091")

    def test_memories_and_history__during_a_run__are_the_servers(self) -> None:
        _module, answers = ask_script("memories", "figs", "figs", memories=["Ann likes figs"], history=FRIDAY * 2)
        self.assertEqual([answer.text for answer in answers], ["Ann likes figs|4|4|1", "Ann likes figs|4|4|2"])
        self.assertEqual(answers[0].memories, ["Ann likes figs", "figs"])

    def test_lifespan__of_the_app__surrounds_its_runs(self) -> None:
        module, (answer,) = ask_script("lifespan", "Hi")
        self.assertEqual(answer.text, "fake Hi")
        self.assertEqual(module.log, ["before", "start", "end", "after"])

    def test_dependencies__of_a_query__are_solved(self) -> None:
        module, (answer,) = ask_script("routes", "Hi")
        self.assertEqual((answer.text, module.closed), ("connected in de", [True]))

    def test_init__that_fails__fails_the_start(self) -> None:
        with self.assertRaisesRegex(ConnectionError, "no database"):
            ask_script("broken_init")
        self.assertEqual([*_agents.registered], ["agent"])

    def test_missing_parts__say__what_to_use_instead(self) -> None:
        for script, sentence in (("sandboxes", "container of your own"), ("clouds", "container image")):
            with self.assertRaisesRegex(ImportError, sentence):
                ask_script(script)
        with self.assertRaisesRegex(ImportError, "more than one AgentApp: call the one to serve `agent_app`"):
            ask_script("two_apps")

    def test_interrupt__of_a_session__reaches_the_query_function(self) -> None:
        async def interrupted() -> Any:
            async with served("interrupts") as script:
                module = script.module
                other = asyncio.create_task(script.ask("Hi"))
                await module.waits.wait()
                await module.app.stop_chat("user", "another session")
                self.assertFalse(other.done())
                await module.app.stop_chat("user", "session")
                with self.assertRaises(asyncio.CancelledError):
                    await other
                return await module.states.export_state("kept")

        self.assertEqual(asyncio.run(interrupted()), {"interrupted": True})


class Routes(unittest.TestCase):
    def test_endpoints__of_every_kind__answer(self) -> None:
        from fastapi.testclient import TestClient

        module, _answers = ask_script("endpoints")
        client = TestClient(module.app, raise_server_exceptions=False)
        message = {"role": "user", "content": [{"type": "text", "text": "a"}]}
        found = client.post("/sync", json={"input": [message]})
        self.assertEqual(found.json(), {"status": "ok", "texts": ["a"]})
        self.assertEqual(client.put("/order", json={"what": "figs"}).json(), {"what": "figs"})
        self.assertEqual(client.post("/order", json={}).status_code, 422)
        self.assertEqual(_events(client.post("/stream_async", json={"what": "a"})), ["a 0", "a 1", {"x": 1}])
        error = {"error": "no more", "error_type": "ValueError", "message": "Error in streaming generator"}
        self.assertEqual(_events(client.post("/stream_sync", json={"a": 1})), [{"a": 1}, error])

    def test_app__without_a_query_function__has_its_endpoints(self) -> None:
        from fastapi.testclient import TestClient

        with self.assertLogs("agent_server.upstream", "WARNING") as logs:
            module, _answers = ask_script("only_endpoints")
        self.assertIn("no query function, so only its endpoints and tasks", logs.output[0])
        client = TestClient(module.made)
        self.assertEqual(_events(client.post("/with_query?first=1&second=test")), ["1 test"])
        self.assertEqual(_events(client.post("/with_request?foo=bar")), ["bar"])
        message = {"role": "user", "content": "Hi"}
        self.assertEqual(_events(client.post("/with_messages", json=[message])), [message])
        with self.assertRaisesRegex(RuntimeError, "Framework type 'None' is invalid or not set"):
            ask_script("only_endpoints", "Hi")

    def test_tasks__in_the_background__can_be_polled(self) -> None:
        from fastapi.testclient import TestClient

        module, _answers = ask_script("endpoints")
        with TestClient(module.app) as client:
            submitted = client.post("/task", json={"number": 4}).json()
            task_id = submitted.pop("task_id")
            message = f"Task {task_id} submitted to queue celery1"
            self.assertEqual(submitted, {"status": "submitted", "queue": "celery1", "message": message})
            self.assertEqual(_polled(client, f"/task/{task_id}"), {"status": "finished", "result": {"double": 8}})
            failing = client.post("/failing_task", json={}).json()["task_id"]
            self.assertEqual(_polled(client, f"/failing_task/{failing}"), {"status": "error", "result": "broken"})
            self.assertEqual(client.get("/task/x").json(), {"error": "Task x not found"})

    def test_fastapi__of_the_app__has_its_own_routes(self) -> None:
        from fastapi.testclient import TestClient

        module, _answers = ask_script("routes")
        found = TestClient(module.app).get("/info")
        self.assertEqual((found.json(), found.headers["x-own"]), ({"language": "de"}, "1"))


    def test_queries__in_the_background__have_the_response_as_result(self) -> None:
        from fastapi.testclient import TestClient

        module, _answers = ask_script("settings")
        with TestClient(module.app) as client, standing_in(Texts):
            self.assertEqual(client.get("/ping").json()[-1], "response")
            self.assertEqual(client.post("/restored", json={"a": 1}).json(), {"restored": {"a": 1}})
            found = {}
            for session in ("s", "slow"):
                submitted = client.post("/chat/task", json={**HELLO, "session_id": session}).json()
                self.assertEqual((submitted["status"], submitted["queue"]), ("submitted", "queries"))
                found[session] = _polled(client, f"/chat/task/{submitted['task_id']}")
            text = found["s"]["result"]["output"][0]["content"][0]["text"]
            self.assertEqual((found["s"]["status"], text), ("finished", "hello"))
            self.assertEqual(found["slow"], {"status": "error", "result": "Task exceeded timeout of 0.01s"})
            task_id = client.post("/nothing", json={}).json()["task_id"]
            self.assertEqual(_polled(client, f"/nothing/{task_id}"), {"status": "finished", "result": "nothing"})


def _events(response: Any) -> list[Any]:
    return [json.loads(line.removeprefix("data: ")) for line in response.text.split("\n\n") if line]


def _polled(client: Any, path: str) -> Any:
    while (state := client.get(path).json())["status"] == "running":
        pass
    return state


if __name__ == "__main__":
    unittest.main()
