"""An agent that writes as many messages as its input says, slowly, and goes on where it was interrupted.

Each message has the moment at which it was written, so that writes of different processes can be put in order.
"""

import asyncio
import os

from agent_server import Run, agent


async def moment() -> str:
    """The time of the test's clock."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(os.environ["CLOCK_PORT"]))
    time = await reader.read()
    writer.close()
    return time.decode()


@agent(recovery="continue")
async def counts(run: Run) -> None:
    tag, count = run.text.split()[:2]
    done = sum(1 for message in run.earlier if message["type"] == "message" and message["role"] == "assistant")
    for _ in range(done, int(count)):
        async with run.message() as message:
            await message.text(f"#{tag} ")
            await message.text(f"@{await moment()} ")
        await run.steered()
