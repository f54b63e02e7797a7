"""An agent of the OpenAI Agents SDK with a scripted model."""

import json

from agents import Agent, Model, function_tool, set_tracing_disabled
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseFunctionToolCall,
    ResponseOutputItemDoneEvent,
    ResponseOutputMessage,
    ResponseOutputText,
    ResponseReasoningItem,
    ResponseReasoningSummaryTextDeltaEvent,
    ResponseTextDeltaEvent,
    ResponseUsage,
)
from openai.types.responses.response_reasoning_item import Summary

import script

set_tracing_disabled(True)


class ScriptedModel(Model):
    async def get_response(self, *_, **__):
        raise NotImplementedError

    async def stream_response(self, instructions, items, *_, **__):
        output, words, thoughts = [], [], []
        for piece in script.answer([entry for item in items for entry in entries(item)]):
            where = {"item_id": f"item_{len(output)}", "output_index": len(output), "sequence_number": 0}
            match piece:
                case script.Text(text):
                    words.append(text)
                    kind = "response.output_text.delta"
                    yield ResponseTextDeltaEvent(delta=text, content_index=0, logprobs=[], type=kind, **where)
                case script.Reasoning(text):
                    thoughts.append(text)
                    kind = "response.reasoning_summary_text.delta"
                    yield ResponseReasoningSummaryTextDeltaEvent(delta=text, summary_index=0, type=kind, **where)
                case script.Call(name, arguments, call_id):
                    kind = "function_call"
                    text = json.dumps(arguments)
                    call = ResponseFunctionToolCall(call_id=call_id, name=name, arguments=text, type=kind)
                    yield done(call, output)
                case script.Wait():
                    await script.wait()
                case script.Fail():
                    raise RuntimeError("boom")
        if thoughts:
            summary = [Summary(text="".join(thoughts), type="summary_text")]
            yield done(ResponseReasoningItem(id="item_0", summary=summary, type="reasoning"), output)
        if words:
            part = ResponseOutputText(text="".join(words), type="output_text", annotations=[])
            message = {"content": [part], "role": "assistant", "status": "completed", "type": "message"}
            yield done(ResponseOutputMessage(id="item_0", **message), output)
        yield completed(output)


def done(item, output):
    output.append(item)
    kind = "response.output_item.done"
    return ResponseOutputItemDoneEvent(item=item, output_index=len(output) - 1, sequence_number=0, type=kind)


def completed(output):
    read, written = script.USAGE
    counts = {"input_tokens": read, "output_tokens": written, "total_tokens": read + written}
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    usage = ResponseUsage.model_construct(**counts, **details)
    response = Response.model_construct(id="r", output=output, usage=usage, model="scripted", object="response")
    return ResponseCompletedEvent.model_construct(response=response, type="response.completed", sequence_number=0)


def entries(item):
    if item.get("type") == "function_call_output":
        yield "tool", str(item["output"])
    elif item.get("role") == "user":
        for part in item["content"]:
            if part["type"] == "input_image":
                yield "image", part["image_url"]
            else:
                yield "user", part["text"]


@function_tool
def search(q: str) -> str:
    """Searches."""
    return f"found {q}"


@function_tool(needs_approval=True)
def pay(sum: int) -> str:
    """Pays."""
    return f"paid {sum}"


agent = Agent("agent", model=ScriptedModel(), tools=[search, pay])
