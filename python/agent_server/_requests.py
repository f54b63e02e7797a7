"""The HTTP requests that this process answers."""

from __future__ import annotations

import asyncio
import contextvars
from typing import Any, Callable, Sequence

from ._http import Application, Request
from ._link import Send


class Requests:
    """The requests in progress, by their numbers."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        send: Send,
        applications: Sequence[Application],
        ended: Callable[[], None],
    ) -> None:
        self._loop, self._send, self._applications, self._has_ended = loop, send, applications, ended
        self._requests: dict[int, Request] = {}

    def __contains__(self, number: int) -> bool:
        return number in self._requests

    def are_awaited(self) -> bool:
        """Whether a client waits for one of the answers."""
        return any(not request.is_gone for request in self._requests.values())

    def announce(self, number: int, head: dict[str, Any], credit: int) -> None:
        """Notes a request whose body is on its way."""
        self._requests[number] = Request(number, head, self._send, credit)

    def start(self, number: int, body: bytes, context: contextvars.Context) -> None:
        """Answers a request whose body has come, in a copy of the context."""
        request = self._requests[number]
        # Python 3.10 has no other way to give a task a context.
        task = context.copy().run(self._loop.create_task, request.handle(body, self._applications))
        request.task = task
        task.add_done_callback(lambda _task: self._ended(number), context=contextvars.Context())

    def disconnect(self, number: int, is_answered: bool) -> None:
        """Tells the application that the client has disconnected, perhaps with the whole response."""
        self._requests[number].disconnect(is_answered)
        self._has_ended()

    def add_credit(self, number: int, size: int) -> None:
        """Lets a request send more."""
        if number in self._requests:
            self._requests[number]._add_credit(size)

    def _ended(self, number: int) -> None:
        del self._requests[number]
        self._has_ended()
