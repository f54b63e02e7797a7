"""The handler behind upstream's transcripts with agentscope's messages: the text of the input selects what it yields."""

from agentscope.message import Msg, TextBlock, ThinkingBlock, ToolResultBlock, ToolUseBlock
from agentscope_runtime.engine import AgentApp

app = AgentApp(app_name="AgentScope Runtime", app_description="")


def text(text):
    return TextBlock(type="text", text=text)


def growing(*contents):
    """One message, and what it has each time."""
    message = Msg("Friday", [], "assistant")
    for number, content in enumerate(contents, 1):
        message.content = content
        yield message, number == len(contents)


def tool():
    """A call and its output, which are messages between two others."""
    calls = [
        ToolUseBlock(type="tool_use", id="c1", name="get_weather", input=given) for given in ({}, {"city": "Paris"})
    ]
    output = ToolResultBlock(type="tool_result", id="c1", name="get_weather", output=[text("sunny")])
    yield from growing([text("Let me see")], *[[text("Let me see"), call] for call in calls])
    yield from growing([output])
    yield from growing([text("It is sunny.")])


def failing():
    yield Msg("Friday", [text("par")], "assistant"), False
    raise ValueError("boom")


@app.query(framework="agentscope")
async def query(self, msgs, request=None, **kwargs):
    match msgs[-1].get_text_content():
        case "text":
            items = growing(*[[text(said)] for said in ("Hel", "Hello", "Hello wörld")])
        case "str":
            items = growing("plain string")
        case "think":
            thoughts = [ThinkingBlock(type="thinking", thinking=thought) for thought in ("hm", "hmm ok")]
            items = growing([thoughts[0]], [thoughts[1], text("Ans")], [thoughts[1], text("Answer")])
        case "tool":
            items = tool()
        case "raise":
            items = failing()
        case _:
            # An item of another kind.
            items = ["x"]
    for item in items:
        yield item
