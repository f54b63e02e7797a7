"""AutoGen: an assistant without tools."""

from __future__ import annotations

from typing import Any, AsyncIterator

from autogen_agentchat.agents import AssistantAgent
from autogen_core.models import ChatCompletionClient, CreateResult, ModelFamily, RequestUsage

from . import WORDS

INFO: Any = {
    "vision": False,
    "function_calling": True,
    "json_output": True,
    "structured_output": True,
    "family": ModelFamily.UNKNOWN,
}


class Scripted(ChatCompletionClient):
    """Says the words."""

    async def create_stream(self, *arguments: Any, **options: Any) -> AsyncIterator[Any]:
        for word in WORDS:
            yield word
        yield CreateResult(finish_reason="stop", content="".join(WORDS), usage=RequestUsage(1, 2), cached=False)

    async def create(self, *arguments: Any, **options: Any) -> Any:
        raise NotImplementedError

    async def close(self) -> None:
        pass

    def actual_usage(self) -> Any:
        return RequestUsage(1, 2)

    total_usage = actual_usage

    def count_tokens(self, *arguments: Any, **options: Any) -> int:
        return 1

    remaining_tokens = count_tokens

    @property
    def capabilities(self) -> Any:
        return INFO

    model_info = capabilities


def agent() -> Any:
    return AssistantAgent("friday", Scripted(), model_client_stream=True)


def stream() -> AsyncIterator[Any]:
    # Agents have their conversation in themselves, so each answer needs one of its own.
    return agent().run_stream(task="Hello")
