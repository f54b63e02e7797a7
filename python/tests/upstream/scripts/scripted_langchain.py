# Stands for a model of LangChain in the scripts beside it.
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult


class ScriptedModel(BaseChatModel):
    """Calls the tool after each question, and then says what it has found."""

    @property
    def _llm_type(self):
        return "scripted"

    def bind_tools(self, tools, **kwargs):
        return self

    def _pieces(self, messages):
        asked = sum(message.type == "human" for message in messages)
        if messages[-1].type == "human":
            yield AIMessageChunk("Let me see.")
            piece = {"type": "tool_call_chunk", "id": f"call_{asked}", "name": "get_weather", "index": 0}
            yield AIMessageChunk("", tool_call_chunks=[{**piece, "args": '{"location": '}])
            rest = {"type": "tool_call_chunk", "id": None, "name": None, "index": 0, "args": '"Paris"}'}
            yield AIMessageChunk("", tool_call_chunks=[rest], chunk_position="last")
        else:
            yield AIMessageChunk(f"{messages[-1].content}, ")
            yield AIMessageChunk(f"asked {asked}x", chunk_position="last")

    def _stream(self, messages, *args, **kwargs):
        for piece in self._pieces(messages):
            yield ChatGenerationChunk(message=piece)

    def _generate(self, messages, *args, **kwargs):
        first, *others = self._pieces(messages)
        whole = sum(others, first)
        return ChatResult(generations=[ChatGeneration(message=whole)])
