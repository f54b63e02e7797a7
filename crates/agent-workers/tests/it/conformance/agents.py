"""The agents of the conformance suite."""

import asyncio
import logging
import time

from agent_server import AgentError, Run, agent


@agent(recovery="continue")
async def echo(run: Run):
    """Answers with each word, followed by a space."""
    for word in run.text.split():
        yield word + " "
        await asyncio.sleep(0)


@agent
async def long(run: Run):
    """Writes this many umlauts at once."""
    yield "ü" * int(run.text)


@agent
async def flood(run: Run):
    """Writes this many kilobytes, one at a time."""
    for _ in range(int(run.text)):
        yield "x" * 1000


@agent
async def waits(run: Run):
    """Writes a word, waits until it is cancelled, and saves a state then."""
    async with run.message() as message:
        await message.text("waiting")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await run.save_state({"saved": run.text})
            raise


@agent
async def fails(run: Run):
    """Fails without a code."""
    raise ValueError("secret")


@agent
async def refuses(run: Run):
    """Fails with a code."""
    raise AgentError("No more questions today", "DAILY_LIMIT", 429)


@agent
async def counts(run: Run):
    """Makes two calls at once: the second one's result comes before the first one's."""
    state, history = await asyncio.gather(run.load_state(), run.history(3))
    yield f"{state} {len(history)}"


@agent
async def logs(run: Run):
    """Writes a line to the log."""
    logging.getLogger("mine").warning("careful with %s", run.text)


@agent
async def blocks(run: Run):
    """Writes a word and blocks its thread for ever."""
    async with run.message() as message:
        await message.text("blocked")
        await asyncio.sleep(0)
        while True:
            time.sleep(60)
