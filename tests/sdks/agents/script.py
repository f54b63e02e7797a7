"""What a scripted model answers, whatever its framework: the user's last words decide."""

import asyncio
import itertools
from dataclasses import dataclass, field

USAGE = (3, 4)
"""The tokens of each call of a model: read, and written."""

PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
    "rkJggg=="
)


@dataclass(frozen=True)
class Text:
    text: str


@dataclass(frozen=True)
class Reasoning:
    text: str


_numbers = itertools.count(1)


@dataclass(frozen=True)
class Call:
    name: str
    arguments: dict
    id: str = field(default_factory=lambda: f"call_{next(_numbers)}")
    """No model uses the id of a call again."""


class Fail:
    """The model fails."""


class Wait:
    """The model waits until it is cancelled."""


_in_progress = 0


async def wait():
    """Waits until it is cancelled."""
    await asyncio.get_running_loop().create_future()


def answer(prompt):
    """The pieces of an answer. The prompt has pairs: ("user", text), ("image", URL) and ("tool", output)."""
    global _in_progress
    _in_progress += 1
    try:
        yield from _pieces(prompt)
    finally:
        _in_progress -= 1


def _pieces(prompt):
    said = [place for place, (kind, text) in enumerate(prompt) if kind == "user" and text not in ("yes", "no")]
    texts = [prompt[place][1] for place in said]
    later = prompt[said[-1] :]
    outputs = [text for kind, text in later if kind == "tool"]
    done = [Text("The tools say: "), Text("; ".join(outputs))]
    match texts[-1], len(outputs):
        case "text", _:
            return [Text("Hello "), Text("world")]
        case "reason", _:
            return [Reasoning("Let me "), Reasoning("think."), Text("Thought.")]
        case "tools", 0:
            return [Text("I search."), Call("search", {"q": "one"})]
        case "tools", 1:
            return [Call("search", {"q": "two"})]
        case "parallel", 0:
            return [Call("search", {"q": "one"}), Call("search", {"q": "two"})]
        case "image", _:
            images = [url for kind, url in later if kind == "image"]
            return [Text("I see: "), Text(" ".join(images))]
        case "fail", 0:
            return [Call("search", {"q": "one"})]
        case "fail", _:
            return [Text("Before"), Fail()]
        case "wait", _:
            return [Text("Waiting"), Wait()]
        case "approve", 0:
            return [Call("pay", {"sum": 7})]
        case "approve two", 0:
            return [Call("pay", {"sum": 1}), Call("pay", {"sum": 2})]
        case "again", _:
            return [Text("You said: "), Text(", ".join(texts))]
        case "count", _:
            return [Text(f"{_in_progress} in progress")]
    return done
