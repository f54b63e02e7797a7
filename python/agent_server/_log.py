"""The log of the server, for Python's ``logging``."""

from __future__ import annotations

import asyncio
import contextvars
import logging

from . import _wire
from ._run import Send

current_run: contextvars.ContextVar[int] = contextvars.ContextVar("agent_server_run", default=0)
"""The number of the run whose code is executed."""


class ServerLog(logging.Handler):
    """Sends log records to the server, which adds the run to them."""

    def __init__(self, loop: asyncio.AbstractEventLoop, send: Send) -> None:
        super().__init__()
        self._loop, self._send = loop, send

    def emit(self, record: logging.LogRecord) -> None:
        line = {"level": record.levelname.lower(), "logger": record.name, "message": self.format(record)}
        frame = _wire.encode_json(_wire.LOG, 0, current_run.get(), line)
        try:
            # Handlers may run in other threads.
            self._loop.call_soon_threadsafe(self._send, frame)
        except RuntimeError:
            # The loop has ended, and with it the worker.
            pass
