# Stands for a model of AgentScope in the scripts beside it.
import asyncio

from agentscope.message import TextBlock, ThinkingBlock, ToolUseBlock
from agentscope.model import ChatModelBase, ChatResponse


class ScriptedModel(ChatModelBase):
    """Calls the tool once, and then says what it has found, letter by letter."""

    def __init__(self, waits=False):
        super().__init__("scripted", True)
        self.waits = waits
        self.seen = []

    async def __call__(self, messages, tools=None, *args, **kwargs):
        self.seen.append(messages)
        return self._answer(messages, tools)

    async def _answer(self, messages, tools):
        last = messages[-1]
        if self.waits:
            yield ChatResponse([TextBlock(type="text", text="Wait")])
            await asyncio.Event().wait()
        elif tools and last["role"] == "user":
            thought = ThinkingBlock(type="thinking", thinking="hm")
            call = ToolUseBlock(type="tool_use", id=f"call_{len(messages)}", name="get_weather", input={"city": "Paris"})
            yield ChatResponse([thought, call])
        else:
            said = sum(message["role"] == "user" for message in messages)
            text = f"Sunny ({said})"
            for end in range(1, len(text) + 1):
                yield ChatResponse([TextBlock(type="text", text=text[:end])])
