"""An agent of Pydantic AI with a scripted model."""

import json

from pydantic_ai import Agent, DeferredToolRequests
from pydantic_ai.messages import BinaryContent, ImageUrl, ToolReturnPart, UserPromptPart
from pydantic_ai.models.function import DeltaThinkingPart, DeltaToolCall, FunctionModel

import script


async def stream(messages, _info):
    prompt = [entry for message in messages for part in message.parts for entry in entries(part)]
    for number, piece in enumerate(script.answer(prompt)):
        match piece:
            case script.Text(text):
                yield text
            case script.Reasoning(text):
                yield {0: DeltaThinkingPart(content=text)}
            case script.Call(name, arguments, call_id):
                yield {number: DeltaToolCall(name=name, json_args=json.dumps(arguments), tool_call_id=call_id)}
            case script.Wait():
                await script.wait()
            case script.Fail():
                raise RuntimeError("boom")


def entries(part):
    if isinstance(part, ToolReturnPart):
        yield "tool", part.model_response_str()
    elif isinstance(part, UserPromptPart):
        for content in [part.content] if isinstance(part.content, str) else part.content:
            match content:
                case str():
                    yield "user", content
                case ImageUrl():
                    yield "image", content.url
                case BinaryContent():
                    yield "image", content.data_uri


agent = Agent(FunctionModel(stream_function=stream), output_type=[str, DeferredToolRequests])


@agent.tool_plain
def search(q: str) -> str:
    """Searches."""
    return f"found {q}"


@agent.tool_plain(requires_approval=True)
def pay(sum: int) -> str:
    """Pays."""
    return f"paid {sum}"
