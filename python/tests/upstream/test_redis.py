"""Services in Redis, with a stand-in for it."""

import asyncio
import os
import unittest
from typing import Any
from unittest.mock import patch

import fakeredis
import harness  # noqa: F401  (makes upstream's names importable)

from agentscope_runtime.engine.schemas.agent_schemas import Message, TextContent  # isort: skip
from agentscope_runtime.engine.services.agent_state import RedisStateService, StateServiceFactory  # isort: skip
from agentscope_runtime.engine.services.memory import RedisMemoryService  # isort: skip
from agentscope_runtime.engine.services.session_history import (  # isort: skip
    RedisSessionHistoryService,
    SessionHistoryServiceFactory,
)


def text(value: str) -> Any:
    return Message(role="user", content=[TextContent(text=value)])


def client() -> Any:
    return fakeredis.FakeAsyncRedis(decode_responses=True)


class Redis(unittest.IsolatedAsyncioTestCase):
    async def test_sessions__appended_at_once__lose_nothing(self) -> None:
        async with RedisSessionHistoryService(redis_client=client(), max_messages_per_session=30) as service:
            self.assertTrue(await service.health())
            session = await service.create_session("u*", "s")
            appending = (service.append_message(session, text(str(number))) for number in range(20))
            await asyncio.gather(*appending)
            found = await service.get_session("u*", "s")
            self.assertEqual({each.get_text_content() for each in found.messages}, {str(each) for each in range(20)})
            await service.append_message(session, [text("x")] * 20)
            self.assertEqual(len((await service.get_session("u*", "s")).messages), 30)
            await service.create_session("us", "other")
            self.assertEqual([each.id for each in await service.list_sessions("u*")], ["s"])
            await service.delete_user_sessions("u*")
            self.assertIsNone(await service.get_session("u*", "s"))
            self.assertEqual([each.id for each in await service.list_sessions("us")], ["other"])
        with self.assertRaisesRegex(RuntimeError, "Redis connection is not available"):
            await service.get_session("u", "s")

    async def test_states__saved_at_once__get_rounds_of_their_own(self) -> None:
        async with RedisStateService(redis_client=client()) as service:
            rounds = await asyncio.gather(*(service.save_state("u", {"n": number}) for number in range(20)))
            self.assertEqual(sorted(rounds), [*range(1, 21)])
            await service.save_state("u", {"n": "given"}, "s", round_id=7)
            self.assertEqual(await service.save_state("u", {"n": 8}, "s"), 8)
            self.assertEqual(await service.export_state("u", "s", 7), {"n": "given"})
            self.assertEqual(await service.export_state("u", "s"), {"n": 8})
            self.assertIsNone(await service.export_state("u", "unknown"))

    async def test_memories__of_a_user__are_found(self) -> None:
        async with RedisMemoryService(redis_client=client()) as service:
            await service.add_memory("u", [text("Ann likes figs"), text("Bob likes nuts")], "s")
            await service.add_memory("u", [text("figs again")])
            found = await service.search_memory("u", [text("FIGS")])
            self.assertEqual(len(found), 2)
            self.assertEqual(len(await service.search_memory("u", [text("likes")], {"top_k": 1})), 1)
            self.assertEqual(len(await service.list_memory("u", {"page_size": 2, "page_num": 2})), 1)
            await service.delete_memory("u", "s")
            self.assertEqual(len(await service.list_memory("u")), 1)
            await service.clear_all_memory()
            self.assertEqual(await service.list_memory("u"), [])

    async def test_factories__by_variable_or_argument__choose_a_backend(self) -> None:
        variables = {"STATE_BACKEND": "Redis", "STATE_REDIS_REDIS_URL": "redis://there:1/2"}
        with patch.dict(os.environ, variables):
            service = await StateServiceFactory.create()
        self.assertEqual((type(service), service._url), (RedisStateService, "redis://there:1/2"))
        chosen = await SessionHistoryServiceFactory.create("in_memory", unknown=1)
        self.assertEqual(type(chosen).__name__, "InMemorySessionHistoryService")
        with self.assertRaisesRegex(ValueError, "Unsupported backend type: x"):
            await SessionHistoryServiceFactory.create("X")


if __name__ == "__main__":
    unittest.main()
