"""An agent of Agno with a scripted model."""

import json
from dataclasses import dataclass

from agno.agent import Agent
from agno.models.base import Model
from agno.models.message import Message
from agno.metrics import MessageMetrics
from agno.models.response import ModelResponse
from agno.tools import tool

import script


@dataclass
class ScriptedModel(Model):
    id: str = "scripted"

    def invoke(self, *_, **__):
        raise NotImplementedError

    ainvoke = invoke_stream = _parse_provider_response = _parse_provider_response_delta = invoke

    async def ainvoke_stream(self, messages: list[Message], *_, **__):
        calls = []
        for piece in script.answer([entry for message in messages for entry in entries(message)]):
            match piece:
                case script.Text(text):
                    yield ModelResponse(content=text)
                case script.Reasoning(text):
                    yield ModelResponse(reasoning_content=text)
                case script.Call(name, arguments, call_id):
                    function = {"name": name, "arguments": json.dumps(arguments)}
                    calls.append({"id": call_id, "type": "function", "function": function})
                case script.Wait():
                    await script.wait()
                case script.Fail():
                    raise RuntimeError("boom")
        if calls:
            yield ModelResponse(tool_calls=calls)
        read, written = script.USAGE
        counts = MessageMetrics(input_tokens=read, output_tokens=written, total_tokens=read + written)
        yield ModelResponse(response_usage=counts)


def entries(message):
    if message.role == "tool":
        yield "tool", str(message.content)
    elif message.role == "user":
        for part in message.content if isinstance(message.content, list) else [message.content]:
            if isinstance(part, str):
                yield "user", part
            elif part["type"] == "text":
                yield "user", part["text"]
            else:
                yield "image", part["image_url"]["url"]
        for image in message.images or ():
            yield "image", image.url


def search(q: str) -> str:
    """Searches."""
    return f"found {q}"


@tool(requires_confirmation=True)
def pay(sum: int) -> str:
    """Pays."""
    return f"paid {sum}"


agent = Agent(name="agent", model=ScriptedModel(), tools=[search, pay], telemetry=False)
