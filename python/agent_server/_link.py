"""What a run and a request have in common: they exchange frames with the server."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any, Callable, Mapping

from . import _wire
from ._errors import of_call

Send = Callable[[bytes], None]


class Link:
    """Sends frames of one number, within its credit, and asks the server."""

    def __init__(self, number: int, send: Send, credit: int) -> None:
        self._number, self._send_frame, self._credit = number, send, credit
        self._has_credit: asyncio.Future[None] | None = None
        self._call_numbers = itertools.count(1)
        self._calls: dict[int, asyncio.Future[Any]] = {}

    def _send(self, kind: int, part: int, value: object) -> None:
        self._send_bytes(kind, part, _wire.json_bytes(value))

    def _send_bytes(self, kind: int, part: int, payload: bytes) -> None:
        self._credit -= len(payload)
        self._send_frame(_wire.encode(kind, part, self._number, payload))

    async def _ready(self) -> None:
        """Waits until the server can take more."""
        while self._credit <= 0:
            if self._has_credit is None:
                self._has_credit = asyncio.get_running_loop().create_future()
            # Shielded, because several tasks of a run may wait for it.
            await asyncio.shield(self._has_credit)

    def _add_credit(self, size: int) -> None:
        self._credit += size
        if self._credit > 0 and self._has_credit is not None:
            waiting, self._has_credit = self._has_credit, None
            if not waiting.done():
                waiting.set_result(None)

    async def _ask(self, method: str, arguments: Mapping[str, Any]) -> Any:
        number = next(self._call_numbers)
        reply = self._calls[number] = asyncio.get_running_loop().create_future()
        self._send(_wire.CALL, 0, {"call": number, "method": method, "arguments": arguments})
        try:
            return await reply
        finally:
            self._calls.pop(number, None)

    def _reply(self, answer: Mapping[str, Any]) -> None:
        waiting = self._calls.get(answer["call"])
        if waiting is None or waiting.done():
            return
        if answer.get("error") is not None:
            waiting.set_exception(of_call(answer["error"]))
        else:
            waiting.set_result(answer.get("result"))
