"""The agents of a script."""

from __future__ import annotations

import inspect
import os
import sys
from dataclasses import dataclass
from typing import (
    Any,
    AsyncContextManager,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterator,
    Literal,
    TypeVar,
    Union,
    get_args,
    overload,
)

from ._asgi import lifespan
from ._http import Application, Asgi
from ._run import Run

Recovery = Literal["give_up", "start_over", "continue"]
Handler = TypeVar(
    "Handler", bound=Callable[[Run], Union[AsyncIterator[str], Iterator[str], Awaitable[Union[str, None]], str, None]]
)


@dataclass(frozen=True)
class Agent:
    """A function that answers runs."""

    name: str
    handler: Callable[..., Any]
    recovery: Recovery


registered: dict[str, Agent] = {}
lifetimes: list[Callable[[], AsyncContextManager[Any]]] = []
"""What a worker enters before its first run, and leaves after its last one."""

applications: list[Application] = []
"""What answers requests to paths that the server does not have."""

endpoint_path: str | None = None
"""Where the script wants the server's own protocol to be, if it says so."""

in_worker = False
"""Whether the server has started this process."""

stop_session: Callable[[str, str], None] | None = None
"""In a worker: asks the server to cancel the runs of a user's session, wherever they are."""


@overload
def agent(handler: Handler, /) -> Handler: ...
@overload
def agent(*, name: str | None = None, recovery: Recovery = "give_up") -> Callable[[Handler], Handler]: ...
def agent(
    handler: Handler | None = None, /, *, name: str | None = None, recovery: Recovery = "give_up"
) -> Handler | Callable[[Handler], Handler]:
    """Makes a function an agent.

    The function takes the run. It may be

    * ``async def`` with ``yield``: each text that it yields is a piece of the answer;
    * ``async def`` without: it writes with the run's methods, and a text that it returns is the answer;
    * ``def``, with or without ``yield``: the same in a thread of its own, where the run's methods cannot be used.

    ``recovery`` says what happens if the server dies: the run ends (``give_up``), the agent starts again unless a
    message was complete (``start_over``), or it continues after ``run.earlier`` (``continue``).
    """

    def register(handler: Handler) -> Handler:
        if not callable(handler):
            raise TypeError(f"an agent is a function, not {handler!r}: to name one, write @agent(name=…)")
        if recovery not in get_args(Recovery):
            known = ", ".join(get_args(Recovery))
            raise ValueError(f"recovery={recovery!r} is none of {known}")
        _check(handler)
        chosen = name or str(getattr(handler, "__name__", "agent"))
        if chosen in registered and registered[chosen].handler is not handler:
            raise ValueError(f"there are two agents called {chosen!r}: give one of them another name")
        registered[chosen] = Agent(chosen, handler, recovery)
        return handler

    return register if handler is None else register(handler)


def _check(handler: Callable[..., Any]) -> None:
    """Raises ``TypeError`` if a function cannot be called with a run alone."""
    signature = inspect.signature(handler)
    try:
        signature.bind(object())
    except TypeError:
        name = getattr(handler, "__name__", "agent")
        raise TypeError(f"{name}{signature} cannot be an agent: let it take the run, and nothing else") from None


def mount(application: Asgi) -> None:
    """Serves an ASGI application, such as FastAPI's, at all paths that the server does not have itself."""
    mounted = Application(application)
    applications.append(mounted)
    lifetimes.append(lambda: lifespan(mounted))


def serve(*options: str) -> None:
    """Serves the agents of the program that calls this, with the options of ``agent-server serve``.

    ``python app.py`` then does the same as ``agent-server serve app.py``. In a worker, this does nothing.
    """
    if in_worker:
        return
    command = server_command(os.path.abspath(sys.argv[0]), *options, *sys.argv[1:])
    try:
        os.execvp(command[0], command)
    except FileNotFoundError:
        sys.exit("there is no agent-server: put its binary on the PATH")


def server_command(script: str, *options: str) -> list[str]:
    """The command that serves a script with this Python."""
    # A binary beside the interpreter belongs to the same environment.
    beside = os.path.join(os.path.dirname(sys.executable), "agent-server")
    program = beside if os.path.exists(beside) else "agent-server"
    return [program, "serve", script, "--python", sys.executable, *options]
