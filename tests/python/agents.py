"""Agents for tests, each of which shows one thing that an agent in Python can do."""

import asyncio
import logging
import os
import subprocess
import sys
import time
from contextvars import ContextVar

from agent_server import AgentError, Run, agent, text_of


@agent
async def echo(run: Run):
    for word in run.text.split():
        yield word + " "


@agent
async def everything(run: Run):
    async with run.reasoning() as reasoning:
        await reasoning.text("hm")
    async with run.tool_call("add", "call_1") as call:
        await call.text('{"a": 1,')
        await call.text(' "b": 2}')
    await run.tool_output("add", "call_1", {"sum": 3})
    async with run.message() as message:
        await message.text("3")
        await message.data({"sum": 3})
        await message.put({"type": "image", "image_url": "https://example.com/3.png"})
        message.set_usage({"input_tokens": 2, "output_tokens": 1, "total_tokens": 3})
    await run.emit({"object": "own", "value": 1})


@agent
def returns(run: Run):
    return run.text.upper()


@agent
def yields(run: Run):
    for word in run.text.split():
        time.sleep(0.001)
        yield word + " "


@agent
async def remembers(run: Run):
    state = await run.load_state() or {"turns": 0}
    state["turns"] += 1
    await run.save_state(state)
    history = await run.history()
    return f"turn {state['turns']} after {len(history)} messages"


@agent
async def asks(run: Run):
    async with run.tool_call("weather", "call_1", by_client=True) as call:
        await call.text("{}")


@agent
async def fails(run: Run):
    await run.say("so far so good")
    raise ValueError("the password is 1234")


@agent
async def refuses(run: Run):
    raise AgentError("No more questions today", "DAILY_LIMIT", 429)


@agent
async def waits(run: Run):
    """Saves whether it was cancelled."""
    try:
        await run.say("waiting")
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        await run.save_state({"cancelled": True})
        raise


@agent
async def state(run: Run):
    return str(await run.load_state())


@agent
async def exits(run: Run):
    await run.say("before")
    os._exit(3)


@agent
async def floods(run: Run):
    """Writes without a pause, to its log and to standard output."""
    async with run.message() as message:
        for _ in range(int(run.text)):
            print("x" * 1000)
            await message.text("y" * 1000)


@agent
async def blocks(run: Run):
    """Blocks the event loop."""
    time.sleep(1)
    return "slept"


@agent
async def processes(run: Run):
    """Starts a process, and says its number and its own."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    return f"{os.getpid()} {child.pid}"


@agent
async def knows(run: Run):
    await run.remember("Ann likes figs")
    child = await run.child("echo", "a b")
    return f"{await run.recall('figs')} {child['output'][0]['content'][0]['text']}"


@agent
async def listens(run: Run):
    """Repeats what it is told while it runs."""
    await run.say("go on")
    while not (heard := await run.steered()):
        await asyncio.sleep(0.01)
    return text_of(heard[0])


@agent
async def logs(run: Run):
    logging.getLogger("mine").warning("careful with %s", run.text)
    await asyncio.to_thread(logging.getLogger("mine").error, "in a thread")
    return "logged"


@agent
async def environment(run: Run):
    return " ".join(sorted(os.environ))


@agent
async def cancels_itself(run: Run):
    await run.say("half an answer")
    raise asyncio.CancelledError


setting: ContextVar[str] = ContextVar("setting", default="unset")
setting.set("by the script")


@agent
async def reads_context(run: Run) -> str:
    before = setting.get()
    setting.set("by a run")
    return before
