"""Checks streams and answers against the types of Open Responses and OpenAI: open_responses.py DEMO SCRIPTED STREAM_FILES."""

import functools
import json
import pathlib
import sys
import urllib.request

import openresponses_types.types as types
import pydantic
from openai.types import responses

# Open Responses has only these items; others are allowed, and have their own events.
ITEMS = {"message", "function_call", "function_call_output", "reasoning", "compaction"}
MORE_EVENTS = ("response.custom_tool_call_input.", "response.mcp_", "response.image_generation_call.", "agent_server:")
# Where the two name an event differently, the server follows OpenAI.
RENAMED = {
    "response.reasoning_text.delta": "response.reasoning.delta",
    "response.reasoning_text.done": "response.reasoning.done",
}
EVENTS = {
    next(iter(kind.model_fields["type"].annotation)).value: kind
    for name, kind in vars(types).items()
    if name.endswith("StreamingEvent")
}


adapter = functools.cache(pydantic.TypeAdapter)


def check(kind, value):
    """Reads JSON strictly: a string is not a number."""
    adapter(kind).validate_json(json.dumps(value), strict=True)


def narrowed(response):
    """A response in the form of Open Responses: without other kinds of items and tools, and without the schema of a format."""
    known = [item for item in response["output"] if item["type"] in ITEMS]
    tools = [tool for tool in response["tools"] if tool["type"] == "function"]
    form = response["text"]["format"]
    form = form | {"schema": None} if "schema" in form else form
    return response | {"output": known, "tools": tools, "text": response["text"] | {"format": form}}


def check_response(response):
    check(responses.Response, response)
    check(types.ResponseResource, narrowed(response))


def check_event(event):
    check(responses.ResponseStreamEvent, event)
    kind = RENAMED.get(event["type"], event["type"])
    if kind.startswith(MORE_EVENTS) or event.get("item", {}).get("type", "message") not in ITEMS:
        return
    if "response" in event:
        event = event | {"response": narrowed(event["response"])}
    check(EVENTS[kind], event | {"type": kind})


def check_stream(text):
    """Returns the last event."""
    lines = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: ")]
    assert lines.pop() == "[DONE]", text
    events = [json.loads(line) for line in lines]
    for event in events:
        check_event(event)
    return events[-1]


def call(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    # A failed response is an HTTP error otherwise.
    headers = {"content-type": "application/json", "prefer": "return=representation"}
    request = urllib.request.Request(url, data, headers)
    with urllib.request.urlopen(request) as answer:
        return answer.read().decode()


def check_answers(address, request):
    """The same answer without a stream, as a stream, in the background, and retrieved later."""
    path = f"{address}/v1/responses"
    check_response(json.loads(call(path, request)))
    check_response(json.loads(call(path, request | {"background": True})))
    response = check_stream(call(path, request | {"stream": True}))["response"]
    check_stream(call(path, request | {"stream": True, "background": True}))
    check_stream(call(f"{path}/{response['id']}?stream=true"))
    check_response(json.loads(call(f"{path}/{response['id']}")))
    check(responses.ResponseItemList, json.loads(call(f"{path}/{response['id']}/input_items")))


def bad_event_is_noticed(text):
    for broken in (text.replace('"sequence_number":1,', ""), text.replace('"output_index":0', '"output_index":"0"')):
        assert broken != text
        try:
            check_stream(broken)
        except pydantic.ValidationError:
            continue
        raise AssertionError("a bad stream was taken for a good one")


demo, scripted, *files = sys.argv[1:]
streams = [pathlib.Path(file).read_text() for file in files]
for stream in streams:
    check_stream(stream)
bad_event_is_noticed(streams[0])

for question in ("What is 6 times 7?", "a picture, please", "please fail"):
    check_answers(demo, {"model": "demo", "input": question})
tool = {"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}}
form = {"format": {"type": "json_schema", "name": "person", "schema": {"type": "object"}}}
more = {"instructions": "Be nice.", "metadata": {"a": "b"}, "temperature": 0.5, "truncation": "auto", "store": True}
for request in (
    {"input": "Paris", "tools": [tool], "tool_choice": "required", "parallel_tool_calls": False},
    {"input": "Paris", "tools": [tool], "tool_choice": {"type": "function", "name": "weather"}},
    {"input": "Who?", "text": form, "reasoning": {"effort": "low"}},
    {"input": "long", "max_output_tokens": 16, "service_tier": "default", "top_p": 1},
    {"input": [{"role": "developer", "content": "a"}, {"role": "user", "content": "b"}], **more},
):
    check_answers(scripted, request)
print(len(files), "streams are well-formed")
