"""Memories of agents of AgentScope 1.x."""

import asyncio
import unittest
from typing import Any
from unittest.mock import patch

from agentscope.message import Msg
from harness import Texts, ask_script

from agentscope_runtime.adapters.agentscope.memory import AgentScopeSessionHistoryMemory  # isort: skip
from agentscope_runtime.adapters.agentscope.message import agentscope_msg_to_message  # isort: skip
from agentscope_runtime.engine.services.session_history import InMemorySessionHistoryService  # isort: skip


def read(framework: str, messages: list[dict[str, Any]]) -> list[Msg]:
    """Stands for the framework's adapter, for texts."""
    found = []
    for message in messages:
        msg = Msg(message["role"], message["content"][0]["text"], message["role"])
        msg.id = (message.get("metadata") or {}).get("original_id", msg.id)
        found.append(msg)
    return found


class Memories(unittest.TestCase):
    def setUp(self) -> None:
        patched = patch.object(Texts, "read", staticmethod(read))
        patched.start()
        self.addCleanup(patched.stop)
        modules = patch.dict("sys.modules", {"agent_server.frameworks": Texts})
        modules.start()
        self.addCleanup(modules.stop)

    def test_memory__in_a_script__is_the_conversation(self) -> None:
        history = [{"role": "user", "content": [{"type": "text", "text": "before"}]}]
        _module, answers = ask_script("with_memory", "figs", "figs", history=history, memories=["Ann likes figs"])
        self.assertEqual(answers[0].text, "3 ['before', 'figs'] 'Ann likes figs' 2")
        self.assertEqual(answers[1].text, answers[0].text)

    def test_marks_and_deletions__of_a_memory__count(self) -> None:
        async def changed() -> None:
            async with InMemorySessionHistoryService() as service:
                memory = AgentScopeSessionHistoryMemory(service=service, user_id="u", session_id="s")
                msgs = [Msg("user", text, "user") for text in "abcd"]
                await memory.add(msgs)
                self.assertEqual(await memory.delete([msgs[0].id]), 1)
                await memory.delete(0)
                self.assertEqual(await memory.update_messages_mark("old", msg_ids=[msgs[2].id]), 1)
                self.assertEqual(_texts(await memory.get_memory(exclude_mark="old")), "d")
                self.assertEqual(_texts(await memory.get_memory(mark="old")), "c")
                await memory.update_compressed_summary("sum")
                self.assertEqual(_texts(await memory.get_memory()), "sumcd")
                again = AgentScopeSessionHistoryMemory(service=service, user_id="u", session_id="s")
                self.assertEqual(_texts(await again.get_memory()), "cd")
                await again.clear()
                self.assertEqual(await again.size(), 0)
                self.assertEqual((await service.get_session("u", "s")).messages, [])
                self.assertEqual(memory.state_dict(), {})

        asyncio.run(changed())

    def test_blocks__of_a_message__become_messages(self) -> None:
        blocks = [
            {"type": "thinking", "thinking": "t"},
            {"type": "text", "text": "a"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}},
            {"type": "tool_use", "id": "c1", "name": "f", "input": {"q": "é"}},
            {"type": "tool_result", "id": "c1", "name": "f", "output": [{"type": "text", "text": "é"}]},
        ]
        messages = agentscope_msg_to_message(Msg("Bob", blocks, "assistant"))
        kinds = ["reasoning", "message", "plugin_call", "plugin_call_output"]
        self.assertEqual([each.type for each in messages], kinds)
        self.assertEqual([content.index for content in messages[1].content], [0, 1])
        self.assertEqual(messages[1].content[1].image_url, "data:image/png;base64,QUJD")
        self.assertEqual(messages[2].content[0].data, {"call_id": "c1", "name": "f", "arguments": '{"q": "é"}'})
        self.assertEqual(messages[3].content[0].data["output"], '[{"type": "text", "text": "é"}]')
        self.assertTrue(all(each.metadata["original_name"] == "Bob" for each in messages))


def _texts(msgs: list[Msg]) -> str:
    return "".join(msg.get_text_content() for msg in msgs)


if __name__ == "__main__":
    unittest.main()
