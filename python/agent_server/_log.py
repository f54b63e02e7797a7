"""The log of the server."""

from __future__ import annotations

import contextvars
import logging
import os
import socket
import sys
import threading

from . import _wire

MAX_MESSAGE = 64 * 1024
"""How many characters of a message are sent."""


class CurrentRun:
    """The run whose code is executed."""

    def __init__(self, run: str) -> None:
        self.id = run
        self.begun_lines: dict[str, str] = {}
        """What was written to each stream since the last end of a line."""


current_run: contextvars.ContextVar[CurrentRun | None] = contextvars.ContextVar("agent_server_run", default=None)


class Log:
    """The worker's end of the log socket.

    A line is in the server's hands when ``write`` returns, so it is logged even if the process ends with the next
    statement. A server that logs slowly makes the writer wait, like a full pipe.
    """

    def __init__(self, end: socket.socket) -> None:
        self._socket, self._lock = end, threading.RLock()
        self.is_open = True
        # Lines of two processes would mix.
        os.register_at_fork(after_in_child=self._forked)

    def _forked(self) -> None:
        self.is_open, self._lock = False, threading.RLock()

    def write(self, message: str, run: CurrentRun | None, **members: str) -> None:
        """Sends a message, from any thread."""
        if len(message) > MAX_MESSAGE:
            message = f"{message[:MAX_MESSAGE]}… ({len(message) - MAX_MESSAGE} more characters)"
        line = {"message": message, "run": run.id if run else "", **members}
        frame = _wire.encode_json(_wire.LOG, 0, 0, line)
        try:
            with self._lock:
                self._socket.sendall(frame)
        except OSError:
            # The server is gone, and the worker ends with it.
            pass


class ServerLog(logging.Handler):
    """Sends the records of ``logging`` to the server, with the run that they belong to."""

    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = self.format(record)
        except Exception:
            self.handleError(record)
            return
        if self._log.is_open:
            self._log.write(message, current_run.get(), level=record.levelname.lower(), logger=record.name)
        else:
            print(message, file=sys.stderr)
