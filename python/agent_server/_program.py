"""Executes a script as far as a worker can do what a program may: run event loops, exit, and read input."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import Iterator

from ._agents import registered
from ._script_loop import script_loops

log = logging.getLogger("agent_server")


@contextmanager
def as_program(path: str) -> Iterator[None]:
    """Surrounds the loading of a script. One that exits, or waits for input, has come to its end if it has agents by then."""
    try:
        with script_loops():
            yield
    except SystemExit as end:
        _ended(end, f"{path} has called sys.exit({end.code!r})", "and a worker needs one: exit only under a main guard")
    except EOFError as end:
        if "reading a line" not in str(end):
            raise
        advice = "and a worker has no terminal: read the value from an environment variable"
        _ended(end, f"{path} has called input()", advice)


def _ended(end: BaseException, what: str, advice: str) -> None:
    if registered:
        log.info("%s, so the rest of it is not executed", what)
        return
    raise ImportError(f"{what} before it had an agent, {advice}").with_traceback(end.__traceback__) from None
