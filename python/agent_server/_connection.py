"""The worker's end of the data socket."""

from __future__ import annotations

import asyncio
import contextvars
from typing import Callable

from ._wire import Decoder, Frame


class Connection(asyncio.Protocol):
    """Sends and receives frames.

    The first frame of an idle connection is written at once. Those that follow before the loop's next tick are written
    together, because a write costs far more than a frame.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, received: Callable[[Frame], None], lost: Callable[[], None]
    ) -> None:
        self._call_soon, self._received, self._lost = loop.call_soon, received, lost
        self._decoder = Decoder()
        self._waiting: list[bytes] = []
        self._is_busy = False
        # Callbacks of the loop would otherwise run in the context of whichever run has written.
        self._context = contextvars.Context()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._write = transport, transport.write

    def data_received(self, data: bytes) -> None:
        for frame in self._decoder.feed(data):
            self._received(frame)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost()

    def send(self, frame: bytes) -> None:
        """Writes a frame, now or in the loop's next tick."""
        if self._is_busy:
            self._waiting.append(frame)
            return
        self._is_busy = True
        self._write(frame)
        self._call_soon(self._tick, context=self._context)

    def _tick(self) -> None:
        if not self._waiting:
            self._is_busy = False
            return
        self._write(b"".join(self._waiting))
        self._waiting.clear()
        self._call_soon(self._tick, context=self._context)

    def close(self) -> None:
        """Writes everything that is waiting, and closes the socket."""
        if self._transport is not None:
            self._transport.write(b"".join(self._waiting))
            self._transport.close()
