"""Signs of life, from a thread that runs whatever the agents do."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import threading
import time
import traceback
from typing import Callable

from . import _wire

_PATIENCE = 0.2
"""How long an answer waits for the event loop, in seconds."""

_OWN = (os.path.dirname(os.path.abspath(__file__)), os.path.dirname(asyncio.__file__))
"""Where the code is that every stack of an event loop begins with."""


class Health:
    """The worker's end of the health socket."""

    def __init__(self, end: socket.socket, lost: Callable[[], None]) -> None:
        self._socket, self._lost = end, lost
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0
        self._runs: Callable[[], int] = lambda: 0
        self._beat = 0.0
        self._has_turned = threading.Event()
        self._has_turned.set()
        threading.Thread(target=self._answer, daemon=True, name="agent-server-health").start()

    def watch(self, loop: asyncio.AbstractEventLoop, runs: Callable[[], int]) -> None:
        """Also reports on the event loop of this thread and on the number of its runs."""
        self._thread, self._runs, self._loop = threading.get_ident(), runs, loop

    def _answer(self) -> None:
        decoder = _wire.Decoder()
        try:
            while data := self._socket.recv(4096):
                for ping in decoder.feed(data)[-1:]:
                    pong = self._report(ping.json().get("stuck_ms", 5000))
                    self._socket.sendall(_wire.encode_json(_wire.PONG, 0, 0, pong))
        except OSError:
            pass
        # The event loop would notice it too, unless a handler blocks it.
        time.sleep(1)
        self._lost()

    def _report(self, stuck_ms: int) -> dict[str, object]:
        lag_ms = int(self._lag() * 1000)
        report: dict[str, object] = {"lag_ms": lag_ms, "runs": self._runs()}
        memory = _resident()
        if memory is not None:
            report["memory_bytes"] = memory
        if lag_ms >= stuck_ms:
            report["stack"] = _stack(self._thread)
        return report

    def _lag(self) -> float:
        """For how many seconds the event loop has not executed what it was asked to."""
        if self._loop is None:
            return 0
        if self._has_turned.is_set():
            self._beat = time.monotonic()
            self._has_turned.clear()
            try:
                self._loop.call_soon_threadsafe(self._has_turned.set)
            except RuntimeError:
                # It has ended, and with it the worker.
                self._has_turned.set()
        self._has_turned.wait(_PATIENCE)
        return time.monotonic() - self._beat


def _stack(thread: int) -> str:
    """What a thread executes, without the frames that are always there."""
    frame = sys._current_frames().get(thread)
    frames = traceback.extract_stack(frame) if frame else traceback.StackSummary()
    is_own = [entry.filename.startswith(_OWN) for entry in frames]
    # What has started the worker comes before the first own frame.
    begin = is_own.index(True) if True in is_own else 0
    end = is_own.index(False, begin) if False in is_own[begin:] else begin
    frames = traceback.StackSummary.from_list(frames[end:])
    return "Stack of the event loop (most recent call last):\n" + "".join(frames.format())


def _resident() -> int | None:
    """The resident memory of this process in bytes, where the system tells it in this way."""
    try:
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None
