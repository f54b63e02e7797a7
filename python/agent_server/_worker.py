"""The worker: executes the runs that the server sends."""

from __future__ import annotations

import asyncio
import contextvars
import faulthandler
import functools
import inspect
import logging
import os
import signal
import socket
import sys
import traceback
from contextlib import AsyncExitStack
from typing import Any, Callable

from . import _agents, _wire, upstream
from ._agents import Agent, applications, lifetimes, registered
from ._connection import Connection
from ._errors import AgentError, StepCutOff, Suspended
from ._health import Health
from ._requests import Requests
from ._load import describe
from ._log import CurrentRun, Log, ServerLog, current_run
from ._output import RunOutput, replace_streams
from ._run import Run
from ._script import load_agents
from ._thread import RunThread


_COMPLETED = _wire.json_bytes({"status": "completed"})


class Worker:
    """The runs of this process."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, script: str, log: Log, streams: tuple[RunOutput, ...]
    ) -> None:
        self._loop, self._script, self._log, self._streams = loop, script, log, streams
        self._connection = Connection(loop, self._received, self._lost)
        self._requests = Requests(loop, self._connection.send, applications, self._exit_if_drained)
        self._credit = 0
        self._runs: dict[int, tuple[Run, asyncio.Task[None]]] = {}
        self._newest = 0
        self._cancelled_early: set[int] = set()
        self._is_draining = False
        self._has_drained = asyncio.Event()
        self._life: asyncio.Task[None] | None = None
        self._context = contextvars.Context()

    async def start(self, data: socket.socket) -> None:
        """Connects to the server."""
        await self._loop.create_connection(lambda: self._connection, sock=data)
        _agents.stop_session = self._stop_session

    def count(self) -> int:
        """How many runs there are."""
        return len(self._runs)

    def _stop_session(self, user_id: str, session_id: str) -> None:
        frame = _wire.encode_json(_wire.STOP_SESSION, 0, 0, {"user_id": user_id, "session_id": session_id})
        # A script may have event loops in other threads.
        self._loop.call_soon_threadsafe(self._connection.send, frame)

    def _received(self, frame: _wire.Frame) -> None:
        if frame.kind == _wire.RUN:
            self._start(frame.run, frame.json())
        elif frame.kind == _wire.CANCEL:
            self._cancel(frame.run, frame.json().get("reason") == "answered")
        elif frame.kind == _wire.CREDIT:
            if frame.run in self._runs:
                self._runs[frame.run][0]._add_credit(frame.json()["bytes"])
            else:
                self._requests.add_credit(frame.run, frame.json()["bytes"])
        elif frame.kind == _wire.REPLY:
            if frame.run in self._runs:
                self._runs[frame.run][0]._reply(frame.json())
        elif frame.kind == _wire.REQUEST:
            self._newest = frame.run
            self._requests.announce(frame.run, frame.json(), self._credit)
        elif frame.kind == _wire.BODY:
            self._requests.start(frame.run, frame.payload, self._context)
            if frame.run in self._cancelled_early:
                self._cancelled_early.discard(frame.run)
                self._requests.disconnect(frame.run, False)
        elif frame.kind == _wire.HELLO:
            self._hello(frame.json())
        elif frame.kind == _wire.DRAIN:
            self._is_draining = True
            self._exit_if_drained()

    def _hello(self, hello: dict[str, Any]) -> None:
        self._credit = hello["credit"]
        try:
            _check_version(hello)
            if os.environ.get("AGENT_SERVER_WORKER_COMPAT") != "off":
                upstream.install()
            load_agents(self._script)
            # Runs see what the script has set up, and nothing of each other.
            self._context = contextvars.copy_context()
            # A script that sets up its own log keeps it.
            if not logging.getLogger().handlers:
                logging.getLogger().addHandler(ServerLog(self._log))
        except BaseException as error:
            self._fail(error)
            return
        self._life = self._loop.create_task(self._live())

    def _fail(self, error: BaseException) -> None:
        message, text = describe(error)
        self._connection.send(_wire.encode_json(_wire.FAILED, 0, 0, {"message": message, "traceback": text}))
        self._connection.close()

    async def _live(self) -> None:
        """Keeps open what the agents need, until the last run has ended.

        In one task, because some contexts may only be left in the task that has entered them.
        """
        is_ready = False
        try:
            async with AsyncExitStack() as stack:
                for lifetime in lifetimes:
                    await stack.enter_async_context(lifetime())
                self._ready()
                is_ready = True
                await self._has_drained.wait()
        except BaseException as error:
            if not is_ready:
                self._fail(error)
                return
            logging.getLogger("agent_server").exception("the script has failed at its end")
        self._connection.close()

    def _ready(self) -> None:
        agents = [{"name": agent.name, "recovery": agent.recovery} for agent in registered.values()]
        language = "python " + sys.version.split()[0]
        ready = {"version": _wire.VERSION, "pid": os.getpid(), "language": language, "agents": agents}
        ready["http"] = any(application.answers() for application in applications)
        if _agents.endpoint_path is not None:
            ready["endpoint_path"] = _agents.endpoint_path
        ready["checks"] = any(application.checks() for application in applications)
        self._connection.send(_wire.encode_json(_wire.READY, 0, 0, ready))

    def _start(self, number: int, start: dict[str, Any]) -> None:
        run = Run(number, start, self._connection.send, self._credit)
        job = work(registered.get(run.agent_name) or Agent(run.agent_name, _missing, "give_up"), run)
        # A context of its own; Python 3.10 has no other way to give it to a task.
        context, current = self._context.copy(), CurrentRun(run.id)
        context.run(current_run.set, current)
        task = context.run(self._loop.create_task, job)
        self._runs[number] = (run, task)
        self._newest = number
        # A task that is cancelled before its first step runs none of its code, so its end is reported from here.
        task.add_done_callback(lambda task: self._ended(number, task, current), context=contextvars.Context())
        if number in self._cancelled_early:
            self._cancelled_early.discard(number)
            task.cancel()

    def _cancel(self, number: int, is_answered: bool) -> None:
        if number in self._runs:
            self._runs[number][1].cancel()
        elif number in self._requests:
            self._requests.disconnect(number, is_answered)
        elif number > self._newest:
            # It has overtaken the request.
            self._cancelled_early.add(number)

    def _ended(self, number: int, task: asyncio.Task[None], current: CurrentRun) -> None:
        del self._runs[number]
        for stream in self._streams:
            stream.end(current)
        done: dict[str, Any] = {"status": "completed"}
        if task.cancelled():
            done["status"] = "canceled"
        else:
            error = task.exception()
            if isinstance(error, StepCutOff):
                done = {"status": "incomplete", "error": {"message": str(error)}}
            elif error is not None and not isinstance(error, Suspended):
                done = {"status": "failed", "error": _report(error)}
        payload = _COMPLETED if done["status"] == "completed" else _wire.json_bytes(done)
        self._connection.send(_wire.encode(_wire.DONE, 0, number, payload))
        self._exit_if_drained()

    def _exit_if_drained(self) -> None:
        if self._is_draining and not self._runs and not self._requests.are_awaited():
            self._has_drained.set()

    def _lost(self) -> None:
        _exit()


def _check_version(hello: dict[str, Any]) -> None:
    newest, oldest = hello["version"], hello.get("oldest_version", hello["version"])
    if not oldest <= _wire.VERSION <= newest:
        raise RuntimeError(
            f"this package speaks version {_wire.VERSION} of the worker protocol, and the server {oldest} to {newest}: "
            "install the version of the package that belongs to the server"
        )


def _report(error: BaseException) -> dict[str, Any]:
    if isinstance(error, AgentError):
        return {"message": str(error), "code": error.code, "status": error.status}
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    return {"class": type(error).__name__, "message": str(error), "traceback": text}


async def _missing(run: Run) -> None:
    raise AgentError(f"The script has no agent {run.agent_name!r} any more", "AGENT_NOT_FOUND", 404)


async def work(agent: Agent, run: Run) -> None:
    """Calls the agent's function, whatever kind it is, and writes what it yields or returns."""
    try:
        await _call(agent.handler, run)
    except SystemExit as end:
        # It would end the process, and with it the runs of others.
        raise RuntimeError(f"the agent called sys.exit({end.code!r})") from end


async def _call(handler: Callable[..., Any], run: Run) -> None:
    if inspect.isasyncgenfunction(handler):
        await _write(run, handler(run))
    elif inspect.iscoroutinefunction(handler):
        await _say(run, await handler(run))
    elif inspect.isgeneratorfunction(handler):
        with RunThread() as thread:
            pieces = handler(run)
            try:
                await _write(run, thread.iterate(pieces))
            finally:
                await thread.call(pieces.close)
    else:
        with RunThread() as thread:
            result = await thread.call(handler, run)
        if inspect.isasyncgen(result):
            await _write(run, result)
        else:
            await _say(run, await result if inspect.isawaitable(result) else result)


async def _say(run: Run, result: object) -> None:
    if isinstance(result, str):
        await run.say(result)
    elif result is not None:
        raise TypeError(f"an agent returns a text or nothing, not {type(result).__name__}")


async def _write(run: Run, pieces: Any) -> None:
    message = None
    async for piece in pieces:
        if not isinstance(piece, str):
            raise TypeError(f"an agent yields texts, not {type(piece).__name__}")
        if message is None:
            message = run.message()
        if message._put_text(piece) <= 0:
            await run._ready()
    if message is not None:
        await message._close()


def _exit() -> None:
    """Ends the process and all that it has started: the server is gone, so nobody is left to work for."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            # Nobody reads it any more.
            pass
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    # Threads of handlers would keep the process alive.
    os._exit(0)


def _inherited(name: str) -> socket.socket:
    inherited = socket.socket(fileno=int(os.environ.pop(name)))
    # Processes that the agents start are not workers, and neither are copies of this one.
    inherited.set_inheritable(False)
    os.register_at_fork(after_in_child=functools.partial(_disconnect, inherited.fileno()))
    return inherited


def _disconnect(descriptor: int) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, descriptor, inheritable=False)
    os.close(nothing)


def main(script: str, run: Callable[[Any], None] = asyncio.run) -> None:
    """Works until the server closes the data socket."""
    _agents.in_worker = True
    data, health, log = (_inherited(f"AGENT_SERVER_WORKER_{name}") for name in ("DATA", "HEALTH", "LOG"))
    data.setblocking(False)
    faulthandler.enable()
    server_log = Log(log)
    streams = replace_streams(server_log)
    signs_of_life = Health(health, _exit)

    async def until_the_end() -> None:
        loop = asyncio.get_running_loop()
        worker = Worker(loop, script, server_log, streams)
        signs_of_life.watch(loop, worker.count)
        await worker.start(data)
        await loop.create_future()

    run(until_the_end())
