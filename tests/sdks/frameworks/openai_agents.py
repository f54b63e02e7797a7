"""An agent of OpenAI's agents library, whose model is the server: openai_agents.py SERVER."""

import asyncio
import sys

import openai
from agents import (
    Agent,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
    set_tracing_disabled,
)
from expected import APIS, ERRORS, Answer, Expected, check

set_tracing_disabled(True)
client = openai.AsyncOpenAI(base_url=f"{sys.argv[1]}/v1", api_key="none", max_retries=0)
models = {
    "responses": OpenAIResponsesModel(model="scripted", openai_client=client),
    "chat_completions": OpenAIChatCompletionsModel(model="scripted", openai_client=client),
}


@function_tool
def weather(city: str) -> str:
    """Tells the weather."""
    return f"sunny in {city}"


async def use(api):
    agent = Agent(name="Reporter", instructions="Be brief.", model=models[api])

    async def ask(question, agent=agent):
        return (await Runner.run(agent, question, max_turns=4)).final_output

    check(api, "text", await ask("hello"), Expected.TEXT)
    streamed = Runner.run_streamed(agent, "hello")
    kinds = [event.data.type async for event in streamed.stream_events() if event.type == "raw_response_event"]
    check(api, "stream", (streamed.final_output, "response.output_text.delta" in kinds), (Expected.TEXT, True))
    check(api, "tools of the agent", await ask("calculate"), Expected.OWN_TOOL)
    streamed = Runner.run_streamed(agent, "calculate", max_turns=4)
    async for _ in streamed.stream_events():
        pass
    check(api, "tools of the agent, streamed", streamed.final_output, Expected.OWN_TOOL)
    with_tools = agent.clone(tools=[weather])
    check(api, "tools of the client", await ask("call", with_tools), Expected.CLIENT_TOOL)
    check(api, "tools of both", await ask("calculate", with_tools), Expected.OWN_TOOL)
    answer = await ask("hello", agent.clone(output_type=Answer))
    check(api, "structured output", answer, Answer(answer=42))
    first = await Runner.run(with_tools, "call")
    turns = first.to_input_list() + [{"role": "user", "content": "again"}]
    check(api, "second turn", await ask(turns, with_tools), Expected.SECOND_TURN)
    for question, error in ERRORS.items():
        try:
            await ask(question)
        except openai.APIStatusError as found:
            check(api, question, (type(found), found.code), error)
        else:
            raise AssertionError(f"{api}: '{question}' did not fail")


async def main():
    for api in APIS:
        await use(api)


asyncio.run(main())
print("openai-agents")
