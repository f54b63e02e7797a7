"""AgentScope 1.x: a ReAct agent that calls a tool and then answers."""

from __future__ import annotations

from typing import Any, AsyncIterator

from agentscope.agent import ReActAgent
from agentscope.formatter import OpenAIChatFormatter
from agentscope.message import Msg, TextBlock, ToolUseBlock
from agentscope.model import ChatModelBase, ChatResponse
from agentscope.pipeline import stream_printing_messages
from agentscope.tool import Toolkit, ToolResponse

from . import WORDS


class Model(ChatModelBase):
    """Calls the tool once, and then says the words; each piece has all words so far."""

    def __init__(self) -> None:
        super().__init__("scripted", True)

    async def __call__(self, messages: Any, *arguments: Any, **options: Any) -> AsyncIterator[ChatResponse]:
        return self._pieces(any(message["role"] == "tool" for message in messages))

    async def _pieces(self, has_output: bool) -> AsyncIterator[ChatResponse]:
        if not has_output:
            yield ChatResponse([ToolUseBlock(type="tool_use", id="call", name="search", input={})])
            return
        text = ""
        for word in WORDS:
            text += word
            yield ChatResponse([TextBlock(type="text", text=text)])


def search() -> ToolResponse:
    """Searches."""
    return ToolResponse([TextBlock(type="text", text="found")])


def agent() -> Any:
    toolkit = Toolkit()
    toolkit.register_tool_function(search)
    made = ReActAgent("Friday", "You help.", Model(), OpenAIChatFormatter(), toolkit=toolkit)
    made.set_console_output_enabled(False)
    return made


def stream() -> AsyncIterator[Any]:
    # Agents have their conversation in themselves, so each answer needs one of its own.
    made = agent()
    return stream_printing_messages(agents=[made], coroutine_task=made(Msg("user", "Hello", "user")))
