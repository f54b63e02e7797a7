"""A model of LangChain and an agent of LangGraph, whose model is the server: langchain_agent.py SERVER."""

import sys

import openai
from expected import APIS, ERRORS, Answer, Expected, check
from langchain.agents import create_agent
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI


@tool
def weather(city: str) -> str:
    """Tells the weather."""
    return f"sunny in {city}"


def main(api):
    model = ChatOpenAI(
        model="scripted",
        base_url=f"{sys.argv[1]}/v1",
        api_key="none",
        max_retries=0,
        use_responses_api=api == "responses",
    )
    check(api, "text", model.invoke("hello").text, Expected.TEXT)
    check(api, "stream", "".join(chunk.text for chunk in model.stream("hello")), Expected.TEXT)

    def ask(agent, *messages):
        return agent.invoke({"messages": list(messages)}, {"recursion_limit": 8})["messages"]

    agent = create_agent(model, tools=[])
    check(api, "tools of the agent", ask(agent, HumanMessage("calculate"))[-1].text, Expected.OWN_TOOL)
    with_tools = create_agent(model, tools=[weather])
    first = ask(with_tools, HumanMessage("call"))
    check(api, "tools of the client", first[-1].text, Expected.CLIENT_TOOL)
    own = ask(with_tools, HumanMessage("calculate"))
    check(api, "tools of both", own[-1].text, Expected.OWN_TOOL)
    texts = []
    for chunk, _ in with_tools.stream({"messages": [HumanMessage("calculate")]}, stream_mode="messages"):
        texts.append(chunk.text)
    check(api, "tools of both, streamed", "".join(texts), Expected.OWN_TOOL)
    answer = model.with_structured_output(Answer, method="json_schema").invoke("hello")
    check(api, "structured output by a format", answer, Answer(answer=42))
    answer = model.with_structured_output(Answer, method="function_calling").invoke("hello")
    check(api, "structured output by a tool", answer, Answer(answer=42))
    for before in (first, own):
        check(api, "second turn", ask(with_tools, *before, HumanMessage("again"))[-1].text, Expected.SECOND_TURN)
    for question, (error, code) in ERRORS.items():
        try:
            model.invoke(question)
        except openai.APIStatusError as found:
            check(api, question, (isinstance(found, error), found.code), (True, code))
        else:
            raise AssertionError(f"{api}: '{question}' did not fail")


for api in APIS:
    main(api)
print("langchain")
