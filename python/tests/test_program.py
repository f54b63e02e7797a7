"""What a script may do like a program while it is loaded, inside of a running event loop."""

import asyncio
import contextlib
import threading
import unittest
from typing import Any, Callable
from unittest.mock import patch

from agent_server import _agents
from agent_server._program import as_program
from agent_server._script_loop import begin_to_serve


def loading(script: Callable[[], Any]) -> Any:
    """Executes a function as a script, in a callback of a running loop, and returns what it does."""

    async def worker() -> Any:
        running = asyncio.get_running_loop()
        found: asyncio.Future[Any] = running.create_future()

        def load() -> None:
            try:
                with as_program("app.py"):
                    found.set_result(script())
            except BaseException as error:
                found.set_exception(error)
            assert asyncio.get_running_loop() is running and asyncio.get_event_loop() is running

        running.call_soon(load)
        return await found

    return asyncio.run(worker())


class Loops(unittest.TestCase):
    def test_run__while_a_script_is_loaded__works_in_every_way(self) -> None:
        async def add(left: int) -> int:
            await asyncio.sleep(0)
            return left + 1

        def script() -> tuple[int, int, int]:
            default = asyncio.get_event_loop()
            own = asyncio.new_event_loop()
            with contextlib.closing(own):
                return default.run_until_complete(add(1)), asyncio.run(add(2)), own.run_until_complete(add(3))

        before = asyncio.run, asyncio.new_event_loop
        self.assertEqual(loading(script), (2, 3, 4))
        self.assertEqual((asyncio.run, asyncio.new_event_loop), before)

    def test_running_loop__at_the_top_of_a_script__is_the_workers(self) -> None:
        async def own() -> asyncio.AbstractEventLoop:
            return asyncio.get_running_loop()

        def script() -> tuple[asyncio.AbstractEventLoop, asyncio.AbstractEventLoop, list[str]]:
            found: list[str] = []

            def elsewhere() -> None:
                try:
                    asyncio.get_running_loop()
                except RuntimeError as error:
                    found.append(str(error))

            thread = threading.Thread(target=elsewhere)
            thread.start()
            thread.join()
            return asyncio.get_running_loop(), asyncio.run(own()), found

        before = asyncio.get_running_loop
        workers, scripts, elsewhere = loading(script)
        self.assertIsNot(workers, scripts)
        self.assertEqual(elsewhere, ["no running event loop"])
        self.assertIs(asyncio.get_running_loop, before)
        self.assertIs(asyncio.events.get_running_loop, before)

    def test_run__that_a_script_has_imported__works_in_threads_later(self) -> None:
        async def one() -> int:
            return 1

        imported = loading(lambda: asyncio.run)
        found: list[int] = []
        thread = threading.Thread(target=lambda: found.append(imported(one())))
        thread.start()
        thread.join()
        self.assertEqual(found, [1])

    def test_error__of_what_a_script_runs__is_that_of_the_script(self) -> None:
        async def fail() -> None:
            raise ConnectionError("no database")

        with self.assertRaisesRegex(ConnectionError, "no database"):
            loading(lambda: asyncio.run(fail()))

    def test_tasks__that_are_left_at_the_end__are_cancelled(self) -> None:
        ended = []

        async def wait() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("cancelled")

        async def main() -> None:
            kept.append(asyncio.ensure_future(wait()))
            await asyncio.sleep(0)

        kept: list[Any] = []
        loading(lambda: asyncio.run(main()))
        self.assertEqual(ended, ["cancelled"])

    def test_program__that_serves__continues_in_a_thread(self) -> None:
        stop, ended = threading.Event(), threading.Event()

        async def main() -> None:
            begin_to_serve()
            await asyncio.get_running_loop().run_in_executor(None, stop.wait)
            ended.set()

        self.assertIsNone(loading(lambda: asyncio.run(main())))
        self.assertFalse(ended.is_set())
        stop.set()
        self.assertTrue(ended.wait(60))

    def test_program__that_fails_after_it_serves__is_in_the_log(self) -> None:
        logged = threading.Event()

        async def main() -> None:
            begin_to_serve()
            await asyncio.get_running_loop().run_in_executor(None, go_on.wait)
            raise ConnectionError("lost")

        go_on = threading.Event()
        with patch("agent_server._script_loop.log.warning", lambda *_text, **_options: logged.set()):
            loading(lambda: asyncio.run(main()))
            go_on.set()
            self.assertTrue(logged.wait(60))

    def test_result__of_a_program_that_serves_and_ends__is_returned(self) -> None:
        async def main() -> str:
            begin_to_serve()
            await asyncio.sleep(0)
            return "url"

        self.assertEqual(loading(lambda: asyncio.run(main())), "url")


class Ends(unittest.TestCase):
    def test_exit_or_input__of_a_script_with_an_agent__is_its_end(self) -> None:
        for end in (SystemExit(1), EOFError("EOF when reading a line")):
            with patch.dict(_agents.registered, {"agent": _agents.Agent("agent", print, "give_up")}):
                with as_program("app.py"):
                    raise end

    def test_exit_or_input__of_a_script_without_an_agent__is_an_error(self) -> None:
        for end, sentence in (
            (SystemExit(1), r"app.py has called sys.exit\(1\)"),
            (EOFError("EOF when reading a line"), "no terminal"),
        ):
            with patch.dict(_agents.registered, clear=True), self.assertRaisesRegex(ImportError, sentence):
                with as_program("app.py"):
                    raise end

    def test_end_of_a_file__of_another_kind__is_raised(self) -> None:
        with self.assertRaises(EOFError), as_program("app.py"):
            raise EOFError("Ran out of input")


if __name__ == "__main__":
    unittest.main()
