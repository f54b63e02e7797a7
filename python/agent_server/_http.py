"""Answers HTTP requests with the applications of the script (ASGI 3.0)."""

from __future__ import annotations

import asyncio
import logging
import traceback
from dataclasses import dataclass, field
from typing import Any, Awaitable, Callable, Mapping, MutableMapping, Sequence
from urllib.parse import unquote

from . import _wire
from ._link import Link, Send

Message = MutableMapping[str, Any]
Asgi = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]

_PIECE = 64 * 1024
"""How much of a body is sent at once; the next piece waits for credit."""


@dataclass
class Application:
    """An application of the script, such as FastAPI's."""

    asgi: Asgi
    state: dict[str, Any] = field(default_factory=dict)
    """What its lifespan has prepared for requests."""
    is_used: Callable[[], bool] = lambda: True
    """Whether it has routes, which is known once the script has started."""


class Request(Link):
    """A request, and where its answer goes."""

    def __init__(self, number: int, head: Mapping[str, Any], send: Send, credit: int) -> None:
        super().__init__(number, send, credit)
        self._head, self._body = head, b""
        self._body_is_read = False
        self._has_begun, self._is_complete = False, False
        self._is_gone = asyncio.Event()
        self.task: asyncio.Task[None] | None = None
        """The task that answers; the event loop itself would not keep it."""

    @property
    def is_gone(self) -> bool:
        """Whether the client has disconnected before it had the whole response."""
        return self._is_gone.is_set() and not self._is_complete

    def disconnect(self) -> None:
        """Notes that the client has disconnected. The application learns it when it receives or sends."""
        self._is_gone.set()
        # Whatever waits for credit finds out.
        self._add_credit(_wire.MAX_PAYLOAD * _wire.MAX_PAYLOAD)

    async def answer(self, body: bytes, applications: Sequence[Application]) -> None:
        """Calls the applications, until one has an answer other than 404. The answer of the last one counts."""
        self._body = body
        try:
            for application in applications[:-1]:
                attempt = _Attempt(self._send_message)
                await application.asgi(self._scope(application), self._receive, attempt.send)
                if attempt.is_answer:
                    break
            else:
                await applications[-1].asgi(self._scope(applications[-1]), self._receive, self._send_message)
            if not self._is_complete and not self.is_gone:
                raise RuntimeError("the application has returned without a complete response")
        except Exception as error:
            if not self.is_gone:
                text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
                where = f"{self._head['method']} {self._head['path']}"
                logging.getLogger("agent_server").error("%s has failed\n%s", where, text.rstrip())
        finally:
            self._send(_wire.DONE, 0, {"status": "completed" if self._is_complete else "failed"})

    def _scope(self, application: Application) -> Message:
        head = self._head
        self._body_is_read = False
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": head["method"],
            "scheme": "http",
            "path": unquote(head["path"]),
            "raw_path": head["path"].encode("latin-1"),
            "query_string": head["query"].encode("latin-1"),
            "root_path": "",
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in head["headers"]],
            "client": tuple(head["client"]) if head.get("client") else None,
            "server": None,
            "state": application.state.copy(),
        }

    async def _receive(self) -> Message:
        if not self._body_is_read:
            self._body_is_read = True
            return {"type": "http.request", "body": self._body, "more_body": False}
        await self._is_gone.wait()
        return {"type": "http.disconnect"}

    async def _send_message(self, message: Message) -> None:
        if self.is_gone:
            raise OSError("the client has disconnected")
        if message["type"] == "http.response.start":
            headers = [(_text(name), _text(value)) for name, value in message.get("headers", ())]
            self._send(_wire.RESPONSE, 0, {"status": message["status"], "headers": headers})
            self._has_begun = True
        elif message["type"] == "http.response.body":
            if not self._has_begun:
                raise RuntimeError("a response begins with its status")
            await self._send_body(bytes(message.get("body", b"")), not message.get("more_body", False))

    async def _send_body(self, body: bytes, is_last: bool) -> None:
        for start in range(0, len(body) or is_last, _PIECE):
            self._is_complete = is_last and start + _PIECE >= len(body)
            self._send_bytes(_wire.RESPONSE_BODY, int(self._is_complete), body[start : start + _PIECE])
            await self._ready()


def _text(value: bytes) -> str:
    """The bytes of a header as characters, as HTTP has them."""
    return bytes(value).decode("latin-1")


class _Attempt:
    """Passes an answer on, unless it is 404."""

    def __init__(self, send: Callable[[Message], Awaitable[None]]) -> None:
        self._send = send
        self.is_answer = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.is_answer = message["status"] != 404
        if self.is_answer:
            await self._send(message)
