"""How functions of scripts are called."""

import asyncio
import functools
import unittest
from typing import Any

from agent_server.upstream._calls import Items, accepted


async def everything(function: Any) -> list[Any]:
    items = Items(function, {})
    try:
        return [item async for item in items]
    finally:
        await items.close()


class Calls(unittest.IsolatedAsyncioTestCase):
    async def test_generator__whose_consumer_is_cancelled__gets_the_cancellation(self) -> None:
        seen = []

        async def query() -> Any:
            try:
                yield 1
            except asyncio.CancelledError:
                await asyncio.sleep(0)
                seen.append("saved")
                raise

        async def consume() -> None:
            items = Items(query, {})
            try:
                async for _item in items:
                    reached.set()
                    await asyncio.Event().wait()
            finally:
                await items.close(cancelled=True)

        reached = asyncio.Event()
        task = asyncio.create_task(consume())
        await reached.wait()
        task.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await task
        self.assertEqual(seen, ["saved"])

    async def test_generator__whose_consumer_fails__is_closed(self) -> None:
        seen = []

        async def query() -> Any:
            try:
                yield 1
            finally:
                seen.append("closed")

        items = Items(query, {})
        self.assertEqual(await items.__anext__(), 1)
        await items.close(cancelled=False)
        self.assertEqual(seen, ["closed"])

    async def test_callables__of_every_kind__yield_their_items(self) -> None:
        class Callable:
            async def __call__(self) -> Any:
                yield "object"

        async def returns_a_generator() -> Any:
            return Callable()()

        async def nothing() -> None: ...

        kinds = (Callable(), functools.partial(Callable()), returns_a_generator, lambda: "object")
        for kind in kinds:
            self.assertEqual(await everything(kind), ["object"])
        self.assertEqual(await everything(nothing), [])

    def test_arguments__that_a_function_does_not_take__are_left_out(self) -> None:
        given = {"msgs": 1, "request": 2, "response": 3}
        self.assertEqual(accepted(lambda request: None, given), {"request": 2})
        self.assertEqual(accepted(lambda **kwargs: None, given), given)


if __name__ == "__main__":
    unittest.main()
