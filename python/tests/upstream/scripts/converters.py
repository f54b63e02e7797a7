# 1.1.x: messages and blocks that the script converts itself.
from agentscope.message import Msg, TextBlock

from agentscope_runtime.engine import AgentApp
from agentscope_runtime.engine.schemas.agent_schemas import DataContent, Message, MessageType

app = AgentApp(app_name="converters")


def read_action(message):
    return Msg("user", [TextBlock(type="text", text=f"converted {message.type}")], "user")


def write_widget(element, message, last, tool_start, metadata, usage):
    widget = Message(id="msg_widget", type=MessageType.A2UI_RESPONSE, role="assistant")
    widget.add_content(DataContent(data={"x": element["x"]}))
    yield widget.completed()


def write_badly(element, message, last, tool_start, metadata, usage):
    return 7


app.runner.in_type_converters = {MessageType.A2UI_ACTION: read_action}
app.runner.out_type_converters = {"widget": write_widget, "bad": write_badly}


@app.query(framework="agentscope")
async def answer(self, msgs, request=None, **kwargs):
    text = TextBlock(type="text", text=f"hi {msgs[-1].get_text_content()}")
    yield Msg("Friday", [text], "assistant"), True
    kind = "bad" if request.session_id == "bad" else "widget"
    yield Msg("Friday", [{"type": kind, "x": 1}], "assistant"), True
