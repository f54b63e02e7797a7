"""Functions that make graphs."""

import unittest
from contextlib import asynccontextmanager, contextmanager
from typing import Any, AsyncIterator, Iterator

from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import START, MessagesState, StateGraph

from agent_server.frameworks._langgraph_factory import Factory
from agent_server.testing import ask_async

made: list[str] = []
left: list[str] = []


def greeter(name: str) -> Any:
    """A graph that is not compiled."""
    made.append(name)
    state = StateGraph(MessagesState)
    state.add_node("greet", lambda state: {"messages": [AIMessage(f"I am {name}")]})
    return state.add_edge(START, "greet")


def plain() -> Any:
    return greeter("plain").compile()


async def asynchronous(city: str = "Rome") -> Any:
    return greeter(f"asynchronous in {city}")


def of_run(config: RunnableConfig) -> Any:
    return greeter(f"for {config['configurable']['user_id']}")


@contextmanager
def context() -> Iterator[Any]:
    yield greeter("in a context")
    left.append("context")


@asynccontextmanager
async def of_run_in_context(config: RunnableConfig) -> AsyncIterator[Any]:
    yield greeter(f"with {config['configurable']['session_id']}")
    left.append("of_run_in_context")


async def answers(make: Any) -> list[str]:
    """The answers of two runs."""
    factory = Factory(make, make.__name__)

    async def both() -> list[str]:
        return [(await ask_async(factory.handle, "Hi")).text for _ in range(2)]

    if factory.is_for_each_run:
        return await both()
    async with factory.lifetime():
        return await both()


class Factories(unittest.IsolatedAsyncioTestCase):
    def setUp(self) -> None:
        made.clear()
        left.clear()

    async def test_factory__without_parameters__is_called_once(self) -> None:
        for make, name in ((plain, "plain"), (context, "in a context"), (asynchronous, "asynchronous in Rome")):
            with self.subTest(name):
                made.clear()
                self.assertEqual(await answers(make), [f"I am {name}"] * 2)
                self.assertEqual(made, [name])
        self.assertEqual(left, ["context"])

    async def test_factory__that_takes_the_configuration__is_called_for_each_run(self) -> None:
        self.assertEqual(await answers(of_run), ["I am for user"] * 2)
        self.assertEqual(await answers(of_run_in_context), ["I am with session"] * 2)
        self.assertEqual((len(made), left), (4, ["of_run_in_context"] * 2))

    async def test_factory__that_cannot_make_a_graph__says_so(self) -> None:
        with self.assertRaisesRegex(TypeError, "make takes a, b: let it take nothing, or the configuration"):
            Factory(lambda a, b: None, "make")
        with self.assertRaisesRegex(TypeError, "look_up takes city: let it take nothing"):
            Factory(lambda city: None, "look_up")
        with self.assertRaisesRegex(TypeError, "make returns int: let it return a compiled graph"):
            async with Factory(lambda: 1, "make").lifetime():
                pass


if __name__ == "__main__":
    unittest.main()
