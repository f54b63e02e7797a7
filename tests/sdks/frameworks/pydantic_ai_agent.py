"""An agent of Pydantic AI, whose model is the server: pydantic_ai_agent.py SERVER."""

import asyncio
import sys

import openai
from expected import APIS, ERRORS, Answer, Expected, check
from pydantic_ai import Agent, NativeOutput
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider

client = openai.AsyncOpenAI(base_url=f"{sys.argv[1]}/v1", api_key="none", max_retries=0)
provider = OpenAIProvider(openai_client=client)
models = {
    "responses": OpenAIResponsesModel("scripted", provider=provider),
    "chat_completions": OpenAIChatModel("scripted", provider=provider),
}


def weather(city: str) -> str:
    """Tells the weather."""
    return f"sunny in {city}"


async def use(api):
    model = models[api]
    agent = Agent(model, instructions="Be brief.")
    with_tools = Agent(model, instructions="Be brief.", tools=[weather])

    async def streamed(agent, question):
        async with agent.run_stream(question) as result:
            return await result.get_output()

    check(api, "text", (await agent.run("hello")).output, Expected.TEXT)
    check(api, "stream", await streamed(agent, "hello"), Expected.TEXT)
    check(api, "tools of the agent", (await agent.run("calculate")).output, Expected.OWN_TOOL)
    check(api, "tools of the agent, streamed", await streamed(agent, "calculate"), Expected.OWN_TOOL)
    first = await with_tools.run("call")
    check(api, "tools of the client", first.output, Expected.CLIENT_TOOL)
    check(api, "tools of both", (await with_tools.run("calculate")).output, Expected.OWN_TOOL)
    for name, output in [("by a tool", Answer), ("by a format", NativeOutput(Answer))]:
        answer = (await Agent(model, output_type=output).run("hello")).output
        check(api, f"structured output {name}", answer, Answer(answer=42))
    history = first.all_messages()
    check(api, "second turn", (await with_tools.run("again", message_history=history)).output, Expected.SECOND_TURN)
    history = (await agent.run("calculate")).all_messages()
    turn = await agent.run("again", message_history=history)
    check(api, "second turn after tools of the agent", turn.output, Expected.SECOND_TURN)
    for question, (error, _) in ERRORS.items():
        try:
            await agent.run(question)
        except ModelHTTPError as found:
            check(api, question, type(found.__cause__), error)
        else:
            raise AssertionError(f"{api}: '{question}' did not fail")


async def main():
    for api in APIS:
        await use(api)


asyncio.run(main())
print("pydantic-ai")
