"""Agents with durable steps and questions, which can be killed at any point."""

import os
import signal
from pathlib import Path

from agent_server import Run, StepCutOff, agent


class Points:
    """The points at which a run may kill a process: the first line of its input is the folder, the second the victim
    and the point's number."""

    def __init__(self, run: Run) -> None:
        folder, kill = run.text.splitlines()
        self._victim, point = kill.split()
        self._folder, self._point, self._passed = Path(folder), int(point), 0

    def point(self) -> None:
        self._passed += 1
        mark = self._folder / "killed"
        if self._passed - 1 == self._point and not mark.exists():
            mark.touch()
            victim = os.getpid() if self._victim == "worker" else os.getppid()
            os.kill(victim, signal.SIGKILL)
            # The server's end is not seen at once.
            signal.pause()

    def effect(self, name: str) -> None:
        with (self._folder / "effects").open("a") as effects:
            effects.write(name + "\n")


async def _steps(run: Run) -> None:
    points = Points(run)
    results = []

    async def work(name: str) -> str:
        points.point()
        points.effect(name)
        points.point()
        return f"result of {name}"

    for effect in ("pure", "idempotent", "once"):
        points.point()
        results.append(await run.step(effect, lambda: work(effect), effect=effect))
    points.point()
    async with run.message() as message:
        await message.text(results[0])
        points.point()
        await message.text(", " + ", ".join(results[1:]))


@agent(recovery="start_over")
async def steps(run: Run) -> None:
    await _steps(run)


@agent(recovery="continue")
async def continues(run: Run) -> None:
    if not run.earlier:
        await run.say("begun")
    await _steps(run)


@agent(recovery="continue")
async def checks(run: Run) -> str:
    points = Points(run)

    async def work() -> None:
        points.effect("once")
        points.point()

    try:
        await run.step("once", work, effect="once")
    except StepCutOff as error:
        return f"attempt {run.attempt}: {error}"
    return "not cut off"


@agent
async def mailer(run: Run) -> str:
    async def write() -> dict:
        return {"draft": "Dear Ann", "number": 7}

    draft = await run.step("draft", write, effect="pure")
    to = await run.ask("to", "To whom?")
    if not await run.approve("send", f"Send '{draft['draft']}' to {to}?", arguments={"to": to}):
        return "Not sent."
    sent = await run.step("send", lambda: f"sent to {to}", effect="once")
    return f"{sent}, draft {draft['number']}"
