"""An agent of LangChain, which is a graph of LangGraph, with a scripted model."""

import json

from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver

import script


class ScriptedModel(BaseChatModel):
    @property
    def _llm_type(self):
        return "scripted"

    def bind_tools(self, tools, **_):
        return self

    def _generate(self, *_, **__):
        raise NotImplementedError

    async def _astream(self, messages, *_, **__):
        prompt = [entry for message in messages for entry in entries(message)]
        for number, piece in enumerate(script.answer(prompt)):
            match piece:
                case script.Text(text):
                    yield chunk(text)
                case script.Reasoning(text):
                    yield chunk([{"type": "reasoning", "reasoning": text}])
                case script.Call(name, arguments, call_id):
                    yield calling(number, call_id, name, json.dumps(arguments))
                case script.Wait():
                    await script.wait()
                case script.Fail():
                    raise RuntimeError("boom")
        read, written = script.USAGE
        usage = {"input_tokens": read, "output_tokens": written, "total_tokens": read + written}
        yield ChatGenerationChunk(message=AIMessageChunk("", usage_metadata=usage))


def chunk(content):
    return ChatGenerationChunk(message=AIMessageChunk(content))


def calling(index, call_id, name, arguments):
    piece = {"type": "tool_call_chunk", "id": call_id, "name": name, "args": arguments, "index": index}
    return ChatGenerationChunk(message=AIMessageChunk("", tool_call_chunks=[piece]))


def entries(message):
    if message.type == "tool":
        yield "tool", message.text
    elif message.type == "human":
        for block in message.content_blocks:
            if block["type"] == "text":
                yield "user", block["text"]
            elif block["type"] == "image":
                yield "image", block.get("url") or f"data:{block['mime_type']};base64,{block['base64']}"


@tool
def search(q: str) -> str:
    """Searches."""
    return f"found {q}"


@tool
def pay(sum: int) -> str:
    """Pays."""
    return f"paid {sum}"


agent = create_agent(
    ScriptedModel(),
    [search, pay],
    middleware=[HumanInTheLoopMiddleware(interrupt_on={"pay": True})],
    checkpointer=InMemorySaver(),
)
