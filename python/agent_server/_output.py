"""Standard output and standard error, with the run that writes to them."""

from __future__ import annotations

import io
import sys
import threading
from typing import Any, TextIO

from ._log import CurrentRun, Log, current_run

MAX_LINE = 8 * 1024
"""The maximum length of a line; longer ones are broken."""


class RunOutput(io.TextIOBase):
    """A standard stream.

    What the code of a run writes becomes lines of the server's log with that run. All else is left to the stream that
    was there before, a pipe to the server, which also has what C code and other processes write.
    """

    def __init__(self, name: str, stream: TextIO, log: Log) -> None:
        self._name, self._stream, self._log = name, stream, log
        # Finalizers of objects may print in the middle of a write.
        self._lock = threading.RLock()

    def write(self, text: str) -> int:
        run = current_run.get()
        if run is None or not self._log.is_open:
            return self._stream.write(text)
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        with self._lock:
            *lines, rest = (run.begun_lines.get(self._name, "") + text).split("\n")
            for line in lines:
                self._write_line(run, line)
            # A progress bar draws itself again and again over the same line.
            rest = rest[rest.rfind("\r", 0, -1) + 1 :]
            if len(rest) > MAX_LINE:
                self._write_line(run, rest)
                rest = ""
            run.begun_lines[self._name] = rest
        return len(text)

    def end(self, run: CurrentRun) -> None:
        """Logs the line that a run has not ended."""
        with self._lock:
            self._write_line(run, run.begun_lines.pop(self._name, ""))

    def _write_line(self, run: CurrentRun, line: str) -> None:
        line = line.rstrip()
        line = line[line.rfind("\r") + 1 :]
        for start in range(0, len(line), MAX_LINE):
            self._log.write(line[start : start + MAX_LINE], run, stream=self._name)

    def flush(self) -> None:
        self._stream.flush()

    def close(self) -> None:
        """Does nothing: other code still uses the stream."""

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        return self._stream.errors

    @property
    def newlines(self) -> Any:
        return self._stream.newlines

    def __getattr__(self, name: str) -> Any:
        # ``buffer``, ``reconfigure`` and what else a text file has.
        return getattr(self._stream, name)


def replace_streams(log: Log) -> tuple[RunOutput, RunOutput]:
    """Puts streams that know runs in place of the standard ones."""
    sys.stdout = stdout = RunOutput("stdout", sys.stdout, log)
    sys.stderr = stderr = RunOutput("stderr", sys.stderr, log)
    return stdout, stderr
