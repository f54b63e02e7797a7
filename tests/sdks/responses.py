"""All operations of a client of the Responses API: responses.py DEMO SCRIPTED."""

import sys
import warnings

import openai
import pydantic

# Releases before 2 do not know that outputs of tools may be items of a response, and warn about it.
warnings.filterwarnings("ignore", message="Pydantic serializer warnings")

demo = openai.OpenAI(base_url=f"{sys.argv[1]}/v1", api_key="none", max_retries=0)
scripted = openai.OpenAI(base_url=f"{sys.argv[2]}/v1", api_key="none", max_retries=0)
QUESTION = "What is 6 times 7?"
ANSWER = "6 × 7 = 42"


def raises(kind, call):
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was expected")


def create():
    response = demo.responses.create(model="demo", input=QUESTION, metadata={"a": "b"}, instructions="Be nice.")
    assert (response.status, response.output_text) == ("completed", ANSWER), response
    assert (response.model, response.metadata, response.instructions) == ("demo", {"a": "b"}, "Be nice.")
    kinds = [item.type for item in response.output]
    assert kinds == ["reasoning", "mcp_call", "message"], kinds


def stream():
    events = list(demo.responses.create(model="demo", input=QUESTION, stream=True))
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert (events[0].type, events[-1].type) == ("response.created", "response.completed")
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    assert text == events[-1].response.output_text == ANSWER
    with demo.responses.stream(model="demo", input=QUESTION) as helper:
        assert any(event.type == "response.output_text.delta" for event in helper)
        assert helper.get_final_response().output_text == ANSWER


def compatible():
    """The path in the settings of agentscope-runtime's users."""
    client = demo.with_options(base_url=f"{sys.argv[1]}/compatible-mode/v1")
    assert client.responses.create(model="demo", input=QUESTION).output_text == ANSWER
    with client.responses.stream(model="demo", input=QUESTION) as helper:
        assert helper.until_done().get_final_response().output_text == ANSWER


def pictures():
    with demo.responses.stream(model="demo", input="a picture, please") as helper:
        response = helper.until_done().get_final_response()
    assert [item.type for item in response.output] == ["message", "image_generation_call"]
    assert response.output[1].result.startswith("iVBOR")


def failures():
    try:
        demo.responses.create(model="demo", input="please fail")
    except openai.InternalServerError as error:
        assert (error.code, error.type, error.status_code) == ("agent_error", "server_error", 500), error
    else:
        raise AssertionError("a failed response was taken for a good one")
    wanted = {"Prefer": "return=representation"}
    response = demo.responses.create(model="demo", input="please fail", extra_headers=wanted)
    assert (response.status, response.error.code) == ("failed", "server_error"), response
    last = list(demo.responses.create(model="demo", input="please fail", stream=True))[-1]
    assert (last.type, last.response.error.message) == ("response.failed", response.error.message)


def background():
    begun = scripted.responses.create(model="scripted", input="slow", background=True)
    assert begun.status in ("queued", "in_progress"), begun
    # The connection is cut after the first words, and the rest is read over another one.
    read = []
    with scripted.responses.retrieve(begun.id, stream=True) as events:
        for event in events:
            read.append(event.sequence_number)
            if event.type == "response.output_text.delta":
                break
    rest = list(scripted.responses.retrieve(begun.id, stream=True, starting_after=read[-1]))
    assert read + [event.sequence_number for event in rest] == list(range(read[-1] + 1 + len(rest)))
    assert rest[-1].response.output_text == "one two three"
    assert scripted.responses.retrieve(begun.id).output_text == "one two three"


def cancel_and_delete():
    begun = scripted.responses.create(model="scripted", input="wait", background=True)
    assert scripted.responses.cancel(begun.id).status == "cancelled"
    assert scripted.responses.retrieve(begun.id).status == "cancelled"
    scripted.responses.delete(begun.id)
    error = raises(openai.NotFoundError, lambda: scripted.responses.retrieve(begun.id))
    assert error.code == "response_not_found" and error.request_id, error


def chains():
    first = scripted.responses.create(model="scripted", input="one")
    second = scripted.responses.create(model="scripted", input="two", previous_response_id=first.id)
    assert (second.output_text, second.previous_response_id) == ("one|one|two", first.id)
    items = scripted.responses.input_items.list(second.id)
    assert [item.content[0].text for item in items] == ["two"]


def conversations():
    conversation = demo.conversations.create(metadata={"topic": "sums"})
    demo.responses.create(model="demo", input=QUESTION, conversation=conversation.id)
    response = demo.responses.create(model="demo", input="What do you remember?", conversation=conversation.id)
    assert response.conversation.id == conversation.id and QUESTION in response.output_text, response
    items = list(demo.conversations.items.list(conversation.id, order="asc", limit=2))
    assert len(items) == 6 and items[0].content[0].text == QUESTION, items
    added = demo.conversations.items.create(conversation.id, items=[{"role": "user", "content": "by the way"}])
    assert demo.conversations.items.retrieve(added.data[0].id, conversation_id=conversation.id) == added.data[0]
    assert demo.conversations.update(conversation.id, metadata={"topic": "figs"}).metadata == {"topic": "figs"}
    assert demo.conversations.delete(conversation.id).deleted
    raises(openai.NotFoundError, lambda: demo.conversations.retrieve(conversation.id))


def tool(name):
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    return {"type": "function", "name": name, "description": "Tells it.", "parameters": parameters}


def tools():
    tools = [tool("weather"), tool("time")]
    asked = scripted.responses.create(model="scripted", input="Paris", tools=tools)
    calls = [item for item in asked.output if item.type == "function_call"]
    assert [call.name for call in calls] == ["weather", "time"], asked
    outputs = [{"type": "function_call_output", "call_id": call.call_id, "output": f"{call.name}!"} for call in calls]
    by_id = scripted.responses.create(model="scripted", input=outputs, tools=tools, previous_response_id=asked.id)
    assert by_id.output_text == "weather! time!", by_id
    said = [{"role": "user", "content": "Paris"}] + [call.to_dict() for call in calls] + outputs
    with scripted.responses.stream(model="scripted", input=said, tools=tools) as helper:
        assert helper.until_done().get_final_response().output_text == "weather! time!"
    with scripted.responses.stream(model="scripted", input="Paris", tools=tools[:1]) as helper:
        done = [event for event in helper if event.type == "response.function_call_arguments.done"]
    assert [event.arguments for event in done] == ['{"city":"Paris"}'], done


class Person(pydantic.BaseModel):
    name: str
    age: int


def structured():
    parsed = scripted.responses.parse(model="scripted", input="Who?", text_format=Person)
    assert parsed.output_parsed == Person(name="Ada", age=36), parsed
    assert (parsed.usage.input_tokens, parsed.usage.output_tokens, parsed.usage.total_tokens) == (7, 5, 12)


def parts():
    content = [
        {"type": "input_text", "text": "look"},
        {"type": "input_image", "image_url": "data:image/png;base64,QUJD", "detail": "auto"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"},
    ]
    response = scripted.responses.create(model="scripted", input=[{"role": "user", "content": content}])
    assert response.output_text == "look[image][file]", response


def cut_short():
    response = scripted.responses.create(model="scripted", input="long", max_output_tokens=16)
    assert (response.status, response.incomplete_details.reason) == ("incomplete", "max_output_tokens")


def errors():
    error = raises(openai.BadRequestError, lambda: demo.responses.create(model="demo", input="x", temperature=9))
    assert (error.status_code, error.param, error.type) == (400, "temperature", "invalid_request_error"), error
    raises(openai.NotFoundError, lambda: demo.responses.retrieve("resp_none"))
    raises(openai.NotFoundError, lambda: demo.fine_tuning.jobs.list())


def answer(connection, **request):
    connection.response.create(model="demo", input=QUESTION, store=False, **request)
    for event in connection:
        if event.type == "response.completed":
            return event.response
    raise AssertionError("the connection ended")


def socket():
    with demo.responses.connect() as connection:
        first = answer(connection)
        second = answer(connection, previous_response_id=first.id)
        assert (second.output_text, second.previous_response_id) == (ANSWER, first.id), second
        connection.response.create(model="demo", input=QUESTION, temperature=9)
        refusal = connection.recv()
        assert (refusal.type, refusal.error.param) == ("error", "temperature"), refusal


for check in (create, stream, compatible, pictures, failures, background, cancel_and_delete, chains, conversations,
              tools, structured, parts, cut_short, errors):
    check()
# The library supports WebSockets from this version on.
if openai.__version__.startswith("3."):
    socket()
print("openai", openai.__version__)
