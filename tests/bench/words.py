"""The agent of `cargo xtask bench workers`: its input, word by word, with an await of the loop after each."""

import asyncio

from agent_server import Run, agent


@agent
async def words(run: Run):
    for word in run.text.split(" "):
        yield word + " "
        await asyncio.sleep(0)
