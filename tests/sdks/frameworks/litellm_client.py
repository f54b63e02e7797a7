"""LiteLLM, whose provider is the server: litellm_client.py SERVER."""

import os
import sys

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import litellm
from expected import Answer, Expected, check

litellm.telemetry = False
where = {"api_base": f"{sys.argv[1]}/v1", "api_key": "none", "model": "openai/scripted", "num_retries": 0, "max_retries": 0}
parameters = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
function = {"name": "weather", "description": "Tells the weather.", "parameters": parameters}

# The classes of LiteLLM's own errors.
ERRORS = {
    "fail 400": litellm.BadRequestError,
    "fail 401": litellm.BadGatewayError,
    "fail 429": litellm.RateLimitError,
    "fail 500": litellm.BadGatewayError,
    "fail context": litellm.ContextWindowExceededError,
}


def chat_completions():
    api = "chat_completions"

    def ask(messages, **more):
        if isinstance(messages, str):
            messages = [{"role": "user", "content": messages}]
        return litellm.completion(messages=messages, **where, **more)

    check(api, "text", ask("hello").choices[0].message.content, Expected.TEXT)
    chunks = [chunk.choices[0].delta.content or "" for chunk in ask("hello", stream=True)]
    check(api, "stream", "".join(chunks), Expected.TEXT)
    check(api, "tools of the agent", ask("calculate").choices[0].message.content, Expected.OWN_TOOL)
    tools = [{"type": "function", "function": function}]
    called = ask("call", tools=tools).choices[0].message
    check(api, "call", called.tool_calls[0].function.name, "weather")
    question = {"role": "user", "content": "call"}
    output = {"role": "tool", "tool_call_id": called.tool_calls[0].id, "content": "sunny in Rome"}
    turn = [question, called.model_dump(exclude_none=True), output]
    said = ask(turn, tools=tools).choices[0].message
    check(api, "tools of the client", said.content, Expected.CLIENT_TOOL)
    turn += [said.model_dump(exclude_none=True), {"role": "user", "content": "again"}]
    check(api, "second turn", ask(turn, tools=tools).choices[0].message.content, Expected.SECOND_TURN)
    answer = Answer.model_validate_json(ask("hello", response_format=Answer).choices[0].message.content)
    check(api, "structured output", answer, Answer(answer=42))
    check_errors(api, ask)


def responses():
    api = "responses"

    def ask(input, **more):
        return litellm.responses(input=input, **where, **more)

    def text(response):
        return "".join(part.text for item in response.output if item.type == "message" for part in item.content)

    check(api, "text", text(ask("hello")), Expected.TEXT)
    deltas = [event.delta for event in ask("hello", stream=True) if event.type == "response.output_text.delta"]
    check(api, "stream", "".join(deltas), Expected.TEXT)
    own = ask("calculate")
    check(api, "tools of the agent", text(own), Expected.OWN_TOOL)
    tools = [{"type": "function", **function}]
    called = ask("call", tools=tools)
    calls = [item for item in called.output if item.type == "function_call"]
    output = {"type": "function_call_output", "call_id": calls[0].call_id, "output": "sunny in Rome"}
    said = ask([output], tools=tools, previous_response_id=called.id)
    check(api, "tools of the client", text(said), Expected.CLIENT_TOOL)
    check(api, "second turn", text(ask("again", previous_response_id=said.id)), Expected.SECOND_TURN)
    check_errors(api, ask)


def check_errors(api, ask):
    for question, error in ERRORS.items():
        try:
            ask(question)
        except Exception as found:
            check(api, question, type(found), error)
        else:
            raise AssertionError(f"{api}: '{question}' did not fail")


chat_completions()
responses()
print("litellm")
