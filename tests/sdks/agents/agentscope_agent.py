"""An agent of AgentScope 1.x with a scripted model."""

from agentscope.agent import ReActAgent
from agentscope.formatter import OpenAIChatFormatter
from agentscope.message import TextBlock, ThinkingBlock, ToolUseBlock
from agentscope.model import ChatModelBase, ChatResponse
from agentscope.model._model_usage import ChatUsage
from agentscope.tool import Toolkit, ToolResponse

import script


class ScriptedModel(ChatModelBase):
    def __init__(self):
        super().__init__("scripted", True)

    async def __call__(self, messages, *_, **__):
        return self._pieces([entry for message in messages for entry in entries(message)])

    async def _pieces(self, prompt):
        # Each piece has everything that the model has said so far.
        thoughts, words, calls = "", "", []
        for piece in script.answer(prompt):
            match piece:
                case script.Text(text):
                    words += text
                case script.Reasoning(text):
                    thoughts += text
                case script.Call(name, arguments, call_id):
                    calls.append(ToolUseBlock(type="tool_use", id=call_id, name=name, input=arguments))
                case script.Wait():
                    await script.wait()
                case script.Fail():
                    raise RuntimeError("boom")
            blocks = [ThinkingBlock(type="thinking", thinking=thoughts)] if thoughts else []
            blocks += [TextBlock(type="text", text=words)] if words else []
            yield ChatResponse([*blocks, *calls], usage=ChatUsage(*script.USAGE, 0.1))


def entries(message):
    content = message["content"]
    if message["role"] == "tool":
        yield "tool", str(content)
    elif message["role"] == "user":
        for part in [{"type": "text", "text": content}] if isinstance(content, str) else content:
            if part["type"] == "text":
                yield "user", part["text"]
            else:
                yield "image", part["image_url"]["url"]


def search(q: str) -> ToolResponse:
    """Searches."""
    return ToolResponse([TextBlock(type="text", text=f"found {q}")])


toolkit = Toolkit()
toolkit.register_tool_function(search)
agentscope = ReActAgent("agent", "You help.", ScriptedModel(), OpenAIChatFormatter(), toolkit=toolkit, parallel_tool_calls=True)
