"""What serving an agent costs beside its framework.

``python python/bench/frameworks.py`` prints, for each framework that is installed, the CPU time of answering many runs
at once as a ratio to that of the framework alone, whose stream is read and dropped. The model is scripted and costs
nothing, which makes the ratios the worst that there are. All of it happens in turns, because the speed of a
machine changes from minute to minute; and in one process, except for what ``--binary`` adds: the real server, with the
CPU time of its worker.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib
import importlib.util
import random
import statistics
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any, Awaitable, Callable

sys.path.insert(0, str(Path(__file__).parents[1]))

from agent_server import Run, frameworks  # noqa: E402
from served import Served  # noqa: E402
from server import Server  # noqa: E402

# What the framework is imported as.
PACKAGES = {
    "agentscope": "agentscope",
    "agno": "agno",
    "autogen": "autogen_agentchat",
    "langgraph": "langchain",
    "openai_agents": "agents",
    "pydantic_ai": "pydantic_ai",
}

Clock = Callable[[], float]
Answer = Callable[[], Awaitable[None]]
Ways = dict[str, tuple[Answer, Clock]]


def ways(name: str, scripted: ModuleType, server: Server, served: Served | None) -> Ways:
    """The ways to answer one run: the framework alone, once more as a control, and as a server does."""
    agent = scripted.agent()
    handler = frameworks.handler(agent)
    if handler is None:
        raise TypeError(f"{name} serves no {type(agent).__name__}: this benchmark is older than the adapter")

    async def bare() -> None:
        async for _ in scripted.stream():
            pass

    async def write(run: Run) -> None:
        await frameworks.write(run, name, scripted.stream())

    here = time.process_time
    result: Ways = {
        "bare": (bare, here),
        "control": (bare, here),
        "write": (lambda: server.answer(write), here),
        "handler": (lambda: server.answer(handler), here),
    }
    if served is not None:
        result["served"] = (served.answer, served.cpu_seconds)
    return result


async def measure(answers: Ways, runs: int, rounds: int) -> dict[str, list[float]]:
    """The CPU seconds of each way, a figure for each round."""
    times: dict[str, list[float]] = {name: [] for name in answers}
    for answer, _ in answers.values():
        await asyncio.gather(*(answer() for _ in range(runs)))
    for _ in range(rounds):
        order = list(answers)
        random.shuffle(order)
        for name in order:
            gc.collect()
            gc.freeze()
            answer, clock = answers[name]
            start = clock()
            await asyncio.gather(*(answer() for _ in range(runs)))
            times[name].append(clock() - start)
    return times


def ratio(times: dict[str, list[float]], name: str) -> str:
    """The median of the ratios to the bare framework, and the quartiles around it."""
    ratios = [mine / bare for mine, bare in zip(times[name], times["bare"])]
    low, middle, high = statistics.quantiles(ratios, n=4)
    return f"{middle:.2f} ({low:.2f}–{high:.2f})"


async def main(names: list[str], runs: int, rounds: int, binary: str | None) -> None:
    columns = ["framework", "ms per run, bare", "bare again", "`write`", "agent object", *(["served"] if binary else [])]
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}", flush=True)
    server = Server()
    await server.start()
    for name in names:
        scripted: Any = importlib.import_module(f"scripted.{name}")
        served = Served(binary, name) if binary else None
        try:
            times = await measure(ways(name, scripted, server, served), runs, rounds)
        finally:
            if served is not None:
                served.close()
        bare = f"{statistics.median(times['bare']) / runs * 1000:.1f}"
        ratios = [ratio(times, way) for way in times if way != "bare"]
        print("|", " | ".join([name, bare, *ratios]), "|", flush=True)
    server.close()


if __name__ == "__main__":
    installed = [name for name, package in PACKAGES.items() if importlib.util.find_spec(package)]
    parser = argparse.ArgumentParser(description="What serving an agent costs beside its framework.")
    parser.add_argument("frameworks", nargs="*", help=f"of {', '.join(PACKAGES)}; by default those that are installed")
    parser.add_argument("--runs", type=int, default=64, help="runs at once")
    parser.add_argument("--rounds", type=int, default=30, help="measurements, of which the median counts")
    parser.add_argument("--binary", help="an agent-server, which is measured, too")
    options = parser.parse_args()
    if unknown := set(options.frameworks) - set(PACKAGES):
        parser.error(f"there is no scripted agent of {', '.join(sorted(unknown))}")
    asyncio.run(main(options.frameworks or installed, options.runs, options.rounds, options.binary))
