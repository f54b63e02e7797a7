"""Measures the stores of agentscope-runtime: what is stored comes as JSON on standard input, figures go to standard output.

They have no call for the last messages or for a page of sessions: there, what an application has to call is measured.
What would take too long is left out, with a note.
"""

import asyncio
import json
import logging
import sys
import time

from agentscope_runtime.engine.schemas.agent_schemas import Message, TextContent
from agentscope_runtime.engine.services.agent_state import InMemoryStateService
from agentscope_runtime.engine.services.agent_state.redis_state_service import RedisStateService
from agentscope_runtime.engine.services.memory import InMemoryMemoryService
from agentscope_runtime.engine.services.memory.redis_memory_service import RedisMemoryService
from agentscope_runtime.engine.services.session_history import InMemorySessionHistoryService
from agentscope_runtime.engine.services.session_history.redis_session_history_service import (
    RedisSessionHistoryService,
)

# Seconds for the calls of one operation.
ENOUGH = 0.3
# Seconds after which there is no second or third call.
PATIENCE = 2
# Seconds after which no operation begins any more.
LIMIT = 90
# Calls of one operation at most; few, as a session of ten must not grow much.
MOST = 200
# The most sessions of a user, rounds of a session and items in Redis that are tried: their time grows with the square.
SQUARE = 1000


def message(text):
    return Message(role="user", content=[TextContent(text=text)])


class Figures:
    def __init__(self):
        self.all = []
        self.start = time.perf_counter()

    def note(self, text):
        self.all.append({"note": text})

    async def measure(self, operation, backend, size, call):
        if time.perf_counter() - self.start > LIMIT:
            self.note(f"{backend}: {operation} at {size:,} items was left out: upstream had its {LIMIT} seconds.")
            return
        times = []
        start = time.perf_counter()
        spent = 0
        while len(times) < MOST and (spent < ENOUGH or (len(times) < 3 and spent < PATIENCE)):
            before = time.perf_counter()
            await call(len(times))
            times.append(time.perf_counter() - before)
            spent = time.perf_counter() - start
        times.sort()
        share = lambda part: times[min(int(len(times) * part), len(times) - 1)] * 1e3
        self.all.append(
            {"operation": operation, "backend": backend, "size": size, "p50_ms": share(0.5),
             "p99_ms": share(0.99), "calls": len(times)}
        )


async def measure_size(figures, backend, size, given, services):
    sessions, states, memories = services
    texts = given["texts"]
    # Appending to several sessions keeps each at its size.
    copies = max(1, min(20, 1000 // size))
    held = []
    for copy in range(copies):
        session = await sessions.create_session(f"user-{size}", f"session-{copy}")
        await sessions.append_message(session, [message(text) for text in texts[:size]])
        # A caller's copy grows too, which is not part of the store.
        session.messages = []
        held.append(session)
    await figures.measure(
        "append", backend, size, lambda at: sessions.append_message(held[at % copies], message(texts[at])),
    )

    if size < 50:
        session = await sessions.create_session(f"user-{size}", "session-of-50")
        await sessions.append_message(session, [message(text) for text in texts[:50]])

    async def last(at):
        name = f"session-{at % copies}" if size >= 50 else "session-of-50"
        session = await sessions.get_session(f"user-{size}", name)
        assert len(session.messages[-50:]) == 50

    await figures.measure("last 50", backend, size, last)

    if size <= SQUARE or backend == "upstream memory":
        for at in range(size):
            await sessions.create_session(f"collector-{size}", f"session-{at}")

        async def newest(at):
            assert len((await sessions.list_sessions(f"collector-{size}"))[:50]) == min(size, 50)

        await figures.measure("list 50", backend, size, newest)

    if size <= SQUARE:
        state = lambda at: {"texts": texts[at % 100 : at % 100 + 8]}
        for at in range(size):
            await states.save_state(f"user-{size}", state(at), "session-0")
        await figures.measure(
            "save state", backend, size, lambda at: states.save_state(f"user-{size}", state(at), "session-0")
        )

    for copy in range(copies):
        stored = [message(text) for text in texts[:size]]
        await memories.add_memory(f"rememberer-{size}-{copy}", stored, "session-0")
    who = lambda at: f"rememberer-{size}-{at % copies}"
    await figures.measure(
        "add memory", backend, size, lambda at: memories.add_memory(who(at), [message(texts[at])], "session-0")
    )
    queries = given["queries"]
    for operation, query in (
        ("search", lambda at: queries[at % len(queries)]),
        ("search, frequent words", lambda at: given["frequent"]),
    ):
        await figures.measure(
            operation, backend, size,
            lambda at: memories.search_memory(who(at), [message(query(at))], {"top_k": 10}),
        )


async def main():
    given = json.load(sys.stdin)
    figures = Figures()
    url = given["redis"]
    for backend, services in (
        ("upstream memory", (InMemorySessionHistoryService(), InMemoryStateService(), InMemoryMemoryService())),
        ("upstream redis", (RedisSessionHistoryService(url), RedisStateService(url), RedisMemoryService(url))),
    ):
        for service in services:
            await service.start()
        for size in given["sizes"]:
            start = time.perf_counter()
            await measure_size(figures, backend, size, given, services)
            print(f"{backend}: {size} items took {time.perf_counter() - start:.0f} s", file=sys.stderr)
        for service in services:
            await service.stop()
    if max(given["sizes"]) > SQUARE:
        figures.note(
            f"Upstream's states, and its list in Redis, were measured up to {SQUARE:,} items only: "
            "storing more takes it long."
        )
    print(json.dumps(figures.all))


logging.disable(logging.CRITICAL)
asyncio.run(main())
