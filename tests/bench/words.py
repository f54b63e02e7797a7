"""The agents of `cargo xtask bench workers`."""

import asyncio
import statistics
import time

from agent_server import Run, agent


@agent
async def words(run: Run):
    """Answers with its input, word by word, with an await of the loop after each."""
    for word in run.text.split(" "):
        yield word + " "
        await asyncio.sleep(0)


@agent
async def steps(run: Run):
    """Answers with the median time of a durable step, in milliseconds."""

    async def work() -> int:
        return 1

    times = []
    for number in range(int(run.text)):
        start = time.perf_counter()
        await run.step(str(number), work)
        times.append(time.perf_counter() - start)
    return f"median={statistics.median(times) * 1000}="
