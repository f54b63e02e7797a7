"""Agents that get their worker into trouble."""

import asyncio
import ctypes
import logging
import os
import resource
import signal
import sys
import time

from agent_server import Run, agent

print("imported")


@agent
async def echo(run: Run):
    return run.text


@agent
async def number(run: Run):
    """The number of the worker's process."""
    return str(os.getpid())


@agent
async def waits(run: Run):
    await run.say("waiting")
    await asyncio.Event().wait()


@agent
async def blocks(run: Run):
    time.sleep(float(run.text))
    return "slept"


@agent
async def holds_the_lock(run: Run):
    """Sleeps in C code, where it does not let other threads run."""
    ctypes.PyDLL(None).sleep(int(run.text))


@agent
async def ignores(run: Run):
    await run.say("waiting")
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass


@agent
def never_ends(run: Run):
    print("begun")
    while True:
        time.sleep(0.01)


@agent
def yields(run: Run):
    print("begun")
    try:
        while True:
            time.sleep(0.01)
            yield "x"
    finally:
        print("closed")


@agent
async def grows(run: Run):
    memory = b"x" * (int(run.text) << 20)
    await run.say("grown")
    await asyncio.Event().wait()
    return str(len(memory))


@agent
async def runs_out_of_memory(run: Run):
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, limits[1]))
    try:
        return str(len(b"x" * (2 << 30)))
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)


@agent
async def exits(run: Run):
    print("last words")
    os._exit(3)


@agent
async def is_killed(run: Run):
    """Dies in the middle of a frame."""
    await run.say("whole")
    async with run.message() as message:
        await message.text("half")
        run._send_frame(b"\xff\xff\x00\x00\x44\x00\x01\x00torn")
        # Lets the connection write it.
        await asyncio.sleep(0.01)
        os.kill(os.getpid(), signal.SIGKILL)


@agent
async def forks(run: Run):
    """Leaves a process behind that holds everything open, and exits."""
    child = os.fork()
    if child == 0:
        if run.text == "away":
            os.setsid()
        print("in the child")
        time.sleep(600)
        os._exit(0)
    await run.say(str(child))
    await asyncio.sleep(0.01)
    os._exit(0)


@agent
async def forks_a_copy(run: Run):
    """Both processes continue; only one of them is the worker."""
    return "parent" if os.fork() else "child"


@agent
async def prints(run: Run):
    print("whole", "line")
    print("half a ", end="")
    await asyncio.sleep(0)
    print("line")
    print("to stderr", file=sys.stderr)
    sys.stdout.write("one\ntwo\n")
    for percent in (10, 50, 100):
        print(f"\r{percent} %", end="", flush=True)
    print()
    print("ä" * 9000)
    await asyncio.to_thread(print, "in a thread")
    logging.getLogger("mine").warning("a record")
    sys.stdout.buffer.write(b"raw bytes\n")
    os.write(2, b"raw descriptor\n")
    streams = (sys.stdout.isatty(), sys.stdout.fileno(), sys.stderr.fileno(), sys.stdout.encoding.lower())
    print("no end of line", end="")
    return str(streams)


@agent
def floods(run: Run):
    line = "flooding" + "x" * 7992
    for _ in range(int(run.text)):
        print(line)
    return "flooded"
