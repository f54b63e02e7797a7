"""The OpenAI Agents SDK: an agent without tools."""

from __future__ import annotations

from typing import Any, AsyncIterator

from agents import Agent, Model, Runner, set_tracing_disabled
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseOutputMessage,
    ResponseOutputText,
    ResponseTextDeltaEvent,
)

from . import WORDS

set_tracing_disabled(True)

SAID = ResponseOutputText(text="".join(WORDS), type="output_text", annotations=[])
MESSAGE = ResponseOutputMessage(id="m", content=[SAID], role="assistant", status="completed", type="message")
RESPONSE = Response(
    id="r",
    created_at=0,
    model="scripted",
    object="response",
    output=[MESSAGE],
    parallel_tool_calls=False,
    tool_choice="auto",
    tools=[],
)
OF_TEXT: Any = {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, "content_index": 0}


class Scripted(Model):
    """Says the words."""

    async def get_response(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError

    async def stream_response(self, *_: Any, **__: Any) -> AsyncIterator[Any]:
        for number, word in enumerate(WORDS):
            yield ResponseTextDeltaEvent(delta=word, logprobs=[], sequence_number=number, **OF_TEXT)
        yield ResponseCompletedEvent(response=RESPONSE, sequence_number=len(WORDS), type="response.completed")


def agent() -> Any:
    return Agent(name="Friday", model=Scripted())


AGENT = agent()


def stream() -> AsyncIterator[Any]:
    return Runner.run_streamed(AGENT, "Hello").stream_events()
