# The items of AgentScope, without an agent.
from agentscope.message import Msg, TextBlock, ThinkingBlock, ToolResultBlock, ToolUseBlock

from agentscope_runtime.engine import AgentApp

app = AgentApp(app_name="items")


@app.query(framework="agentscope")
async def answer(self, msgs, request=None, **kwargs):
    kind = msgs[-1].get_text_content()
    if kind == "text":
        msg = Msg("Friday", [], "assistant")
        for text, last in (("Hel", False), ("Hello", False), ("Hello wörld", True)):
            msg.content = [TextBlock(type="text", text=text)]
            yield msg, last
    elif kind == "think":
        msg = Msg("Friday", [], "assistant")
        for thought, text, last in (
            ("hm", "", False),
            ("hmm ok", "", False),
            ("hmm ok", "Ans", False),
            ("hmm ok", "Answer", True),
        ):
            blocks = [TextBlock(type="text", text=text)] if text else []
            msg.content = [ThinkingBlock(type="thinking", thinking=thought), *blocks]
            yield msg, last
    elif kind == "tool":
        yield Msg("Friday", [TextBlock(type="text", text="Let me see")], "assistant"), True
        call = ToolUseBlock(type="tool_use", id="c1", name="get_weather", input={"city": "Paris"})
        asking = Msg("Friday", [call], "assistant")
        yield asking, False
        yield asking, True
        result = ToolResultBlock(
            type="tool_result", id="c1", name="get_weather", output=[TextBlock(type="text", text="sunny")]
        )
        yield Msg("system", [result], "system"), True
        yield Msg("Friday", [TextBlock(type="text", text="It is sunny.")], "assistant"), True
    elif kind == "raise":
        yield Msg("Friday", [TextBlock(type="text", text="par")], "assistant"), False
        raise ValueError("boom")
    else:
        yield Msg("Friday", "plain string", "assistant"), True
