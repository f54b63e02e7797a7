"""An agent of AutoGen with a scripted model."""

import json

from autogen_agentchat.agents import AssistantAgent
from autogen_core import FunctionCall
from autogen_core.models import CreateResult, FunctionExecutionResultMessage, ModelFamily, RequestUsage, UserMessage
from autogen_ext.models.replay import ReplayChatCompletionClient

import script

INFO = {
    "vision": True,
    "function_calling": True,
    "json_output": True,
    "structured_output": True,
    "family": ModelFamily.UNKNOWN,
}


class ScriptedModel(ReplayChatCompletionClient):
    async def create_stream(self, messages, **_):
        words, calls, thoughts = [], [], []
        for piece in script.answer([entry for message in messages for entry in entries(message)]):
            match piece:
                case script.Text(text):
                    if thoughts and not words:
                        yield "</think>"
                    words.append(text)
                    yield text
                case script.Reasoning(text):
                    # As the client of OpenAI's API streams it.
                    yield text if thoughts else f"<think>{text}"
                    thoughts.append(text)
                case script.Call(name, arguments, call_id):
                    calls.append(FunctionCall(id=call_id, name=name, arguments=json.dumps(arguments)))
                case script.Wait():
                    await script.wait()
                case script.Fail():
                    raise RuntimeError("boom")
        yield CreateResult(
            finish_reason="function_calls" if calls else "stop",
            content=calls or "".join(words),
            usage=RequestUsage(*script.USAGE),
            cached=False,
            thought="".join(thoughts or (words if calls else [])) or None,
        )


def entries(message):
    if isinstance(message, FunctionExecutionResultMessage):
        for result in message.content:
            yield "tool", result.content
    elif isinstance(message, UserMessage):
        for part in [message.content] if isinstance(message.content, str) else message.content:
            if isinstance(part, str):
                yield "user", part
            else:
                yield "image", part.data_uri


async def search(q: str) -> str:
    """Searches."""
    return f"found {q}"


agent = AssistantAgent(
    "agent",
    ScriptedModel([], model_info=INFO),
    tools=[search],
    model_client_stream=True,
    max_tool_iterations=5,
)
