"""Chat Completions with OpenAI's own client: `chat_completions.py DEMO SCRIPTED`, the addresses of two servers."""

import asyncio
import sys

import openai
import pydantic

DEMO, SCRIPTED = sys.argv[1:]
QUESTION = [{"role": "user", "content": "What is 6 times 7?"}]
PICTURE = "data:image/png;base64,AA=="


def client(address: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{address}/v1", api_key="none")


def user(text: str) -> list:
    return [{"role": "user", "content": text}]


def tool(name: str) -> dict:
    city = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    strict = {**city, "additionalProperties": False}
    return {"type": "function", "function": {"name": name, "parameters": strict, "strict": True}}


def models(demo: openai.OpenAI) -> None:
    assert [model.id for model in demo.models.list()] == ["demo"]
    assert demo.models.retrieve("demo").object == "model"


def create(demo: openai.OpenAI) -> None:
    answer = demo.chat.completions.create(model="demo", messages=QUESTION)
    choice = answer.choices[0]
    assert choice.message.content == "6 × 7 = 42", answer
    assert choice.finish_reason == "stop" and choice.message.tool_calls is None, answer
    assert answer.usage.total_tokens == 0 and answer.id.startswith("chatcmpl-"), answer


def stream(scripted: openai.OpenAI) -> None:
    options = {"include_usage": True}
    chunks = list(
        scripted.chat.completions.create(model="m", messages=user("hi you"), stream=True, stream_options=options)
    )
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert text == "You said: hi you", chunks
    assert [chunk.usage.total_tokens for chunk in chunks if chunk.usage] == [7], chunks
    assert chunks[0].choices[0].delta.role == "assistant" and not chunks[-1].choices, chunks


def stream_helper(scripted: openai.OpenAI) -> None:
    tools = [tool("weather"), tool("time")]
    with scripted.chat.completions.stream(model="m", messages=user("in parallel"), tools=tools) as events:
        kinds = {event.type for event in events}
        answer = events.get_final_completion()
    assert "tool_calls.function.arguments.done" in kinds, kinds
    calls = answer.choices[0].message.tool_calls
    assert [(call.function.name, call.function.arguments) for call in calls] == [
        ("weather", '{"city":"Rome"}'),
        ("time", '{"city":"Rome"}'),
    ], calls
    with scripted.chat.completions.stream(model="m", messages=user("refuse")) as events:
        assert "refusal.done" in {event.type for event in events}


class Answer(pydantic.BaseModel):
    answer: int


def structured_output(scripted: openai.OpenAI) -> None:
    parsed = scripted.chat.completions.parse(model="m", messages=user("what?"), response_format=Answer)
    assert parsed.choices[0].message.parsed == Answer(answer=42), parsed
    try:
        scripted.chat.completions.parse(model="m", messages=user("long"), response_format=Answer)
    except openai.LengthFinishReasonError:
        return
    raise AssertionError("a cut answer is not told")


def tools(scripted: openai.OpenAI) -> None:
    for question, count in [("call it", 1), ("in parallel", 2)]:
        tools = [tool("weather"), tool("time")]
        messages = user(question)
        first = scripted.chat.completions.create(model="m", messages=messages, tools=tools)
        message = first.choices[0].message
        assert first.choices[0].finish_reason == "tool_calls" and len(message.tool_calls) == count, first
        messages.append(message)
        for number, call in enumerate(message.tool_calls):
            messages.append({"role": "tool", "tool_call_id": call.id, "content": str(number)})
        second = scripted.chat.completions.create(model="m", messages=messages, tools=tools)
        outputs = ", ".join(str(number) for number in range(count))
        assert second.choices[0].message.content == f"The tools say: {outputs}", second


def media(scripted: openai.OpenAI) -> None:
    parts = [
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": PICTURE, "detail": "low"}},
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AA=="}},
    ]
    answer = scripted.chat.completions.create(model="m", messages=[{"role": "user", "content": parts}])
    assert answer.choices[0].message.content == "You said: look", answer


def session(demo: openai.OpenAI) -> None:
    where = {"metadata": {"session_id": "python"}, "user": "ann"}
    demo.chat.completions.create(model="demo", messages=user("I like figs"), **where)
    where = {"extra_body": {"session_id": "python"}, "user": "ann"}
    answer = demo.chat.completions.create(model="demo", messages=user("What do you remember?"), **where)
    assert answer.choices[0].message.content.endswith("I like figs"), answer


def errors(demo: openai.OpenAI) -> None:
    def fails(kind: type, code: str, param: str | None, ask) -> None:
        try:
            ask()
        except kind as error:
            assert (error.code, error.param) == (code, param), error
        else:
            raise AssertionError(f"no {kind}")

    complete = demo.chat.completions.create
    fails(openai.BadRequestError, "invalid_parameter", "n", lambda: complete(model="m", messages=QUESTION, n=2))
    fails(openai.BadRequestError, "invalid_parameter", "messages", lambda: complete(model="m", messages=[]))
    fails(openai.NotFoundError, "model_not_found", "model", lambda: demo.models.retrieve("gpt-9"))
    failing = {"model": "m", "messages": user("fail"), "user": "failing"}
    fails(openai.InternalServerError, "agent_error", None, lambda: complete(**failing))
    fails(openai.APIError, "agent_error", None, lambda: list(complete(**failing, stream=True)))
    runs = demo.get("../runs", cast_to=object, options={"params": {"user_id": "failing"}})
    assert len(runs["data"]) == 2, f"the client has tried again: {runs}"


async def asynchronous() -> None:
    async with openai.AsyncOpenAI(base_url=f"{SCRIPTED}/v1", api_key="none") as scripted:
        asked = [scripted.chat.completions.create(model="m", messages=user(str(n))) for n in range(20)]
        answers = await asyncio.gather(*asked)
        assert [answer.choices[0].message.content for answer in answers] == [f"You said: {n}" for n in range(20)]
        chunks = await scripted.chat.completions.create(model="m", messages=user("hi"), stream=True)
        assert "".join([chunk.choices[0].delta.content or "" async for chunk in chunks]) == "You said: hi"


def main() -> None:
    demo, scripted = client(DEMO), client(SCRIPTED)
    for check in (models, create, session, errors):
        check(demo)
    for check in (stream, stream_helper, structured_output, tools, media):
        check(scripted)
    asyncio.run(asynchronous())
    print(f"openai {openai.__version__} is served.")


main()
