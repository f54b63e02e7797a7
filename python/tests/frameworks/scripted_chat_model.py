"""A chat model of LangChain that streams what it is told."""

from __future__ import annotations

import asyncio
from typing import Any, AsyncIterator, Iterator

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.messages import AIMessage
from pydantic import Field


class ScriptedModel(BaseChatModel):
    """Streams the next list of pieces in each call; a text is a piece with this content, and an exception is raised.

    A piece that is an ``asyncio.Event`` is set, and then the model waits until it is cancelled.
    """

    script: list[list[Any]]
    seen: list[list[Any]] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, **_: Any) -> ScriptedModel:
        return self

    def _next(self, messages: list[Any]) -> list[Any]:
        answered = len(self.seen)
        self.seen.append(list(messages))
        return self.script[answered]

    def _generate(self, messages: list[Any], *_: Any, **__: Any) -> ChatResult:
        whole = None
        for piece in self._next(messages):
            chunk = _chunk(piece)
            whole = chunk if whole is None else whole + chunk
        assert whole is not None
        message = AIMessage(whole.content, tool_calls=whole.tool_calls, usage_metadata=whole.usage_metadata)
        return ChatResult(generations=[ChatGeneration(message=message)])

    async def _astream(self, messages: list[Any], *_: Any, **__: Any) -> AsyncIterator[ChatGenerationChunk]:
        for piece in self._next(messages):
            if isinstance(piece, asyncio.Event):
                piece.set()
                await asyncio.get_running_loop().create_future()
            if isinstance(piece, Exception):
                raise piece
            yield ChatGenerationChunk(message=_chunk(piece))

    def _stream(self, messages: list[Any], *_: Any, **__: Any) -> Iterator[ChatGenerationChunk]:
        for piece in self._next(messages):
            yield ChatGenerationChunk(message=_chunk(piece))


def _chunk(piece: Any) -> AIMessageChunk:
    return AIMessageChunk(content=piece) if isinstance(piece, (str, list)) else piece


def call(call_id: str | None, name: str | None, arguments: str, index: int = 0) -> AIMessageChunk:
    """A piece of a call."""
    piece = {"type": "tool_call_chunk", "id": call_id, "name": name, "args": arguments, "index": index}
    return AIMessageChunk(content="", tool_call_chunks=[piece])


def usage(read: int, written: int) -> AIMessageChunk:
    """A piece with the token counts."""
    counts = {"input_tokens": read, "output_tokens": written, "total_tokens": read + written}
    return AIMessageChunk(content="", usage_metadata=counts)
