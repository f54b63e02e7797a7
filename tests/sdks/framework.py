"""An agent of openai-agents with a tool: `framework.py SCRIPTED`, the address of a server."""

import asyncio
import sys

from agents import Agent, OpenAIChatCompletionsModel, Runner, function_tool, set_tracing_disabled
from openai import AsyncOpenAI


@function_tool
def weather(city: str) -> str:
    """Tells the weather of a city."""
    return f"sunny in {city}"


async def main() -> None:
    set_tracing_disabled(True)
    client = AsyncOpenAI(base_url=f"{sys.argv[1]}/v1", api_key="none")
    model = OpenAIChatCompletionsModel(model="scripted", openai_client=client)
    agent = Agent(name="assistant", instructions="Be brief.", model=model, tools=[weather])
    result = await Runner.run(agent, "call it")
    assert result.final_output == "The tools say: sunny in Rome", result
    streamed = Runner.run_streamed(agent, "call it")
    kinds = {event.type async for event in streamed.stream_events()}
    assert streamed.final_output == result.final_output, streamed
    assert "run_item_stream_event" in kinds, kinds
    print("An agent is served.")


asyncio.run(main())
