"""A server in a process of its own, whose CPU time is not that of the worker."""

from __future__ import annotations

import asyncio
import itertools
import multiprocessing
import socket
from typing import Any, Awaitable, Callable

from agent_server import Run, _wire
from agent_server._agents import Agent
from agent_server._connection import Connection
from agent_server._worker import work

REQUEST = {"input": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}]}


def serve(data: socket.socket) -> None:
    """Reads the frames of runs, and answers their questions as for a new session."""
    decoder = _wire.Decoder()
    while received := data.recv(1 << 18):
        for frame in decoder.feed(received):
            if frame.kind == _wire.CALL:
                call = frame.json()
                result: Any = [] if call["method"] == "history" else None
                data.sendall(_wire.encode_json(_wire.REPLY, 0, frame.run, {"call": call["call"], "result": result}))


class Server:
    """The worker's end of the server."""

    def __init__(self) -> None:
        # Before there are threads, which a fork would not have.
        here, there = socket.socketpair()
        self._process = multiprocessing.get_context("fork").Process(target=serve, args=(there,), daemon=True)
        self._process.start()
        there.close()
        here.setblocking(False)
        self._socket = here
        self._runs: dict[int, Run] = {}
        self._numbers = itertools.count(1)

    async def start(self) -> None:
        """Connects the event loop."""
        loop = asyncio.get_running_loop()
        self._connection = Connection(loop, self._received, lambda: None)
        await loop.create_connection(lambda: self._connection, sock=self._socket)

    async def answer(self, handler: Callable[[Run], Awaitable[None]]) -> None:
        """Answers one run, as the worker does."""
        number = next(self._numbers)
        start = {"id": f"run_{number}", "agent": "a", "user_id": "u", "session_id": f"s{number}", "request": REQUEST}
        run = self._runs[number] = Run(number, start, self._connection.send, 1 << 60)
        await work(Agent("a", handler, "give_up"), run)
        del self._runs[number]
        self._connection.send(_wire.encode_json(_wire.DONE, 0, number, {"status": "completed"}))

    def _received(self, frame: _wire.Frame) -> None:
        self._runs[frame.run]._reply(frame.json())

    def close(self) -> None:
        """Ends the server's process."""
        self._connection.close()
        self._process.terminate()
        self._process.join()
