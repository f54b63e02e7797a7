"""An agent of OpenAI's agents library, whose model is the server: framework_responses.py SCRIPTED."""

import asyncio
import sys

from agents import Agent, OpenAIResponsesModel, Runner, function_tool, set_tracing_disabled
from openai import AsyncOpenAI

set_tracing_disabled(True)
seen = []


@function_tool
def weather(city: str) -> str:
    """Tells the weather."""
    seen.append(city)
    return f"sunny in {city}"


async def main():
    client = AsyncOpenAI(base_url=f"{sys.argv[1]}/v1", api_key="none", max_retries=0)
    model = OpenAIResponsesModel(model="scripted", openai_client=client)
    agent = Agent(name="Reporter", instructions="Be brief.", model=model, tools=[weather])
    result = await Runner.run(agent, "Paris")
    assert (result.final_output, seen) == ("sunny in Paris", ["Paris"]), (result, seen)
    streamed = Runner.run_streamed(agent, "Rome")
    kinds = {event.type async for event in streamed.stream_events()}
    assert (streamed.final_output, "raw_response_event" in kinds) == ("sunny in Rome", True), streamed


asyncio.run(main())
print("openai-agents")
