"""Agents of LangChain, which are graphs of LangGraph."""

import unittest
from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver

from agent_server.frameworks import langgraph
from agent_server.testing import ask
from scripted_chat_model import ScriptedModel, call

paid: list[int] = []


@tool
def pay(sum: int) -> str:
    """Pays."""
    paid.append(sum)
    return f"paid {sum}"


class Approvals(unittest.TestCase):
    def agent(self) -> tuple[Any, ScriptedModel]:
        calls = [call("c1", "pay", '{"sum": 1}'), call("c2", "pay", '{"sum": 2}', 1)]
        model = ScriptedModel(script=[calls, ["done"], ["next"]])
        middleware = [HumanInTheLoopMiddleware(interrupt_on={"pay": True})]
        graph = create_agent(model, [pay], middleware=middleware, checkpointer=InMemorySaver())
        handler = langgraph.handler(graph)
        assert handler is not None
        return handler, model

    def test_two_calls__one_refused__only_the_other_is_executed(self) -> None:
        paid.clear()
        agent, model = self.agent()
        answers: dict[str, str] = {}
        for text in ("yes", "not that much"):
            asked = ask(agent, text, answers=answers)
            assert asked.asked is not None
            answers[asked.asked] = text
            self.assertEqual(paid, [])
        answered = ask(agent, "not that much", answers=answers)
        self.assertEqual((answered.text, paid), ("done", [1]))
        outputs = {message.tool_call_id: message.content for message in model.seen[1] if message.type == "tool"}
        self.assertEqual(outputs["c1"], "paid 1")
        self.assertIn("not that much", outputs["c2"])
        written = [(said.name, said.output) for said in answered.messages if said.output is not None]
        self.assertEqual(len(written), 2)
        self.assertEqual(ask(agent, "more").text, "next")


if __name__ == "__main__":
    unittest.main()
