"""LangGraph: an agent of LangChain that calls a tool and then answers."""

from __future__ import annotations

from typing import Any, AsyncIterator

from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk, ChatResult

from . import WORDS

CALL = {"type": "tool_call_chunk", "id": "call", "name": "search", "args": "{}", "index": 0}


class Scripted(BaseChatModel):
    """Calls the tool once, and then says the words."""

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **_: Any) -> Scripted:
        return self

    def _generate(self, *arguments: Any, **options: Any) -> ChatResult:
        raise NotImplementedError

    async def _astream(self, messages: Any, *_: Any, **__: Any) -> AsyncIterator[ChatGenerationChunk]:
        if not any(message.type == "tool" for message in messages):
            yield ChatGenerationChunk(message=AIMessageChunk("", tool_call_chunks=[CALL]))
            return
        for word in WORDS:
            yield ChatGenerationChunk(message=AIMessageChunk(word))


async def search() -> str:
    """Searches."""
    return "found"


def agent() -> Any:
    return create_agent(Scripted(), [search])


AGENT = agent()


def stream() -> AsyncIterator[Any]:
    return AGENT.astream({"messages": [("user", "Hello")]}, stream_mode="messages")
