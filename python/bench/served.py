"""The real server with a scripted agent, and the CPU time that its processes use."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

BENCH = Path(__file__).parent


class Served:
    """A server that keeps its data in a folder of its own, as one does by default."""

    def __init__(self, binary: str, name: str) -> None:
        self._folder = tempfile.TemporaryDirectory()
        script = Path(self._folder.name) / "app.py"
        script.write_text(
            f"import sys\nsys.path.insert(0, {str(BENCH)!r})\n"
            f"from scripted.{name} import agent as make\nagent = make()\n"
        )
        command = [binary, "serve", str(script), "--python", sys.executable, "--port", "0"]
        environment = {
            "PATH": os.environ["PATH"], "AGENT_SERVER_DATA_DIR": self._folder.name, "AGENT_SERVER_LOG_LEVEL": "error"
        }
        self._process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        host, _, port = line.strip().removeprefix("listening on http://").rpartition(":")
        self._address = (host, int(port))
        self._sessions = itertools.count()

    async def answer(self) -> None:
        """Has a run answered, in a session of its own."""
        message = {"role": "user", "content": [{"type": "text", "text": "Hello"}]}
        body = json.dumps({"input": [message], "session_id": f"s{next(self._sessions)}"}).encode()
        reader, writer = await asyncio.open_connection(*self._address)
        head = f"POST /process HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        answer = await reader.read()
        writer.close()
        if b'"status":"completed"' not in answer:
            raise RuntimeError(f"the run failed: {answer[-1000:].decode()}")

    def cpu_seconds(self) -> float:
        """What the server and its workers have used so far."""
        ticks = sum(sum(map(int, _stat(pid)[11:13])) for pid in _family(self._process.pid))
        return ticks / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """Ends the server."""
        self._process.terminate()
        self._process.wait()
        self._folder.cleanup()


def _stat(pid: int) -> list[str]:
    """The fields of ``/proc/PID/stat`` from the state on."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _family(pid: int) -> list[int]:
    """A process and its descendants."""
    children = Path(f"/proc/{pid}/task").glob("*/children")
    found = [int(child) for file in children for child in file.read_text().split()]
    return [pid, *(each for child in found for each in _family(child))]
