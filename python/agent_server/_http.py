"""Hands HTTP requests to the applications of the script (ASGI 3.0)."""

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

CHECK = "agent_server.check"
"""The member of a scope that asks whether the server may answer."""

_PIECE = 64 * 1024
"""How much of a body is sent at once; the next piece waits for credit."""


@dataclass
class Application:
    """An application of the script, such as FastAPI's."""

    asgi: Asgi
    state: dict[str, Any] = field(default_factory=dict)
    """What its lifespan has prepared for requests."""
    answers: Callable[[], bool] = lambda: True
    """Whether it has routes, which is known once the script has started."""
    checks: Callable[[], bool] = lambda: False
    """Whether it decides what the server may answer: it then lets requests pass whose scope has ``CHECK``."""


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

    def disconnect(self, is_answered: bool) -> None:
        """Notes that the client has disconnected. The application learns it when it receives, and when it sends what the
        client has not got: one that has the length which it was promised does not wait for the last message.
        """
        self._is_complete |= is_answered
        self._is_gone.set()
        # Whatever waits for credit finds out.
        self._add_credit(_wire.MAX_PAYLOAD * _wire.MAX_PAYLOAD)

    async def handle(self, body: bytes, applications: Sequence[Application]) -> None:
        """Answers, or decides whether the server may answer."""
        self._body = body
        try:
            if self._head.get("check"):
                await self._check([application for application in applications if application.checks()])
            else:
                await self._answer([application for application in applications if application.answers()])
            if not self._is_complete and not self.is_gone:
                raise RuntimeError("the application has returned without a complete response")
        except Exception as error:
            if not self.is_gone:
                text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
                where = f"{self._head['method']} {self._head['path']}"
                logging.getLogger("agent_server").error("%s has failed\n%s", where, text.rstrip())
        finally:
            self._send(_wire.DONE, 0, {"status": "completed" if self._is_complete else "failed"})

    async def _answer(self, applications: Sequence[Application]) -> None:
        """Calls the applications, until one has an answer other than 404. The answer of the last one counts."""
        for application in applications[:-1]:
            attempt = _Attempt(self._send_message)
            await application.asgi(self._scope(application), self._receive, attempt.send)
            if attempt.is_answer:
                return
        await applications[-1].asgi(self._scope(applications[-1]), self._receive, self._send_message)

    async def _check(self, applications: Sequence[Application]) -> None:
        """Asks the applications. The first answer that does not let the request pass is the answer."""
        headers: list[tuple[str, str]] = []
        for application in applications:
            check = Check()
            await application.asgi({**self._scope(application), CHECK: check}, self._receive, check.send)
            if not check.passes():
                for message in check.messages:
                    await self._send_message(message)
                return
            headers += [(_text(name), _text(value)) for name, value in check.messages[0].get("headers", ())]
        further = [header for header in headers if not header[0].lower().startswith("content-")]
        self._send(_wire.RESPONSE, 0, {"status": 200, "headers": further, "pass": True})
        await self._ready()
        await self._send_body(b"", True)

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
            await self._ready()
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


class Check:
    """What an application says about a request that it need not answer itself."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._has_passed = False

    async def let_pass(self, send: Callable[[Message], Awaitable[None]]) -> None:
        """What the innermost part of the application does instead of answering."""
        self._has_passed = True
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def send(self, message: Message) -> None:
        """Takes what the application sends."""
        self.messages.append(message)

    def passes(self) -> bool:
        """Whether the request has come through, and nothing on the way back has refused it."""
        return self._has_passed and bool(self.messages) and self.messages[0].get("status") == 200
