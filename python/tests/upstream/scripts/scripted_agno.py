# Stands for a model of Agno in the scripts beside it.
from dataclasses import dataclass

from agno.models.base import Model
from agno.models.response import ModelResponse


@dataclass
class ScriptedModel(Model):
    """Calls the tool after each question, and then says what it has found."""

    id: str = "scripted"

    def invoke(self, *args, **kwargs):
        raise NotImplementedError

    ainvoke = invoke_stream = _parse_provider_response = _parse_provider_response_delta = invoke

    async def ainvoke_stream(self, messages, *args, **kwargs):
        asked = sum(message.role == "user" for message in messages)
        if messages[-1].role == "user" and kwargs.get("tools"):
            call = {"name": "get_weather", "arguments": '{"location": "Paris"}'}
            yield ModelResponse(tool_calls=[{"id": f"call_{asked}", "type": "function", "function": call}])
        else:
            yield ModelResponse(content="Sunny, ")
            yield ModelResponse(content=f"asked {asked}x")
