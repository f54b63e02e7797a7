"""The server's side of a worker."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

from agent_server import _wire

PACKAGE = Path(__file__).parents[2]


class Peer:
    """Starts a worker with a script, and talks to it."""

    def __init__(self, script: Path) -> None:
        self._data, data = socket.socketpair()
        self._health, health = socket.socketpair()
        self._log, log = socket.socketpair()
        environment = {
            **os.environ,
            "PYTHONPATH": str(PACKAGE),
            "AGENT_SERVER_WORKER_DATA": str(data.fileno()),
            "AGENT_SERVER_WORKER_HEALTH": str(health.fileno()),
            "AGENT_SERVER_WORKER_LOG": str(log.fileno()),
        }
        descriptors = (data.fileno(), health.fileno(), log.fileno())
        command = [sys.executable, "-c", f"from agent_server._worker import main; main({str(script)!r})"]
        self.process = subprocess.Popen(
            command, pass_fds=descriptors, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        for end in (data, health, log):
            end.close()
        self._requests = 0
        self._decoder, self._frames = _wire.Decoder(), []  # type: tuple[Any, list[Any]]
        self.send(_wire.HELLO, {"version": 1, "credit": 1 << 20, "max_frame": 1 << 20})

    def send(self, kind: int, value: dict[str, Any], run: int = 0) -> None:
        self._data.sendall(_wire.encode_json(kind, 0, run, value))

    def receive(self, kind: int) -> dict[str, Any]:
        """The next frame of a kind; those before it are passed over."""
        while (frame := self._next()).kind != kind:
            pass
        return json.loads(frame.payload) if frame.payload else {}

    def text(self) -> str:
        """The text that the run has written by its end."""
        text = ""
        while (frame := self._next()).kind != _wire.DONE:
            text += frame.payload.decode() if frame.kind == _wire.TEXT else ""
        return text

    def _next(self) -> _wire.Frame:
        while not self._frames:
            data = self._data.recv(1 << 16)
            if not data:
                raise EOFError("the worker has ended")
            self._frames = self._decoder.feed(data)
        return self._frames.pop(0)

    def ask(self, agent: str, text: str, number: int = 1, **members: Any) -> None:
        message = {"role": "user", "type": "message", "content": [{"type": "text", "text": text}]}
        ids = {"id": f"run_{number}", "user_id": "user", "session_id": "session"}
        self.send(_wire.RUN, {**ids, "agent": agent, "request": {"input": [message]}, **members}, number)

    def request(
        self, method: str, path: str, body: Any = None, headers: Any = (), check: bool = False
    ) -> tuple[int, Any]:
        """Asks an application; returns the status and the body, which is read as JSON if it is JSON.

        With ``check``, ``passed`` then has the headers with which the server may answer, or ``None``.
        """
        headers = [("content-type", "application/json"), *headers]
        head = {"method": method, "path": path, "query": "", "headers": headers, "client": None, "check": check}
        self._requests += 1
        number = 1000 + self._requests
        self.send(_wire.REQUEST, head, number)
        self._data.sendall(_wire.encode(_wire.BODY, 0, number, b"" if body is None else _wire.json_bytes(body)))
        response, pieces = self.receive(_wire.RESPONSE), b""
        while (frame := self._next()).kind != _wire.DONE:
            pieces += frame.payload
        self.passed = response["headers"] if response.get("pass") else None
        is_json = ("content-type", "application/json") in map(tuple, response["headers"])
        return response["status"], json.loads(pieces) if is_json else pieces.decode()

    def drain(self) -> str:
        """Lets the worker end, and returns what it has printed."""
        self.send(_wire.DRAIN, {})
        while self._data.recv(1 << 16):
            pass
        printed, _errors = self.process.communicate(timeout=60)
        return printed + self._logged()

    def _logged(self) -> str:
        """What runs have printed, which is in the log."""
        decoder, lines = _wire.Decoder(), ""
        while data := self._log.recv(1 << 16):
            lines += "".join(frame.json()["message"] + "\n" for frame in decoder.feed(data))
        return lines

    def __enter__(self) -> Peer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for end in (self._data, self._health, self._log):
            end.close()
        self.process.communicate(timeout=60)
