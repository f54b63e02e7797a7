# 1.0.x: a query function that builds the protocol's events itself.
from agentscope_runtime.engine.app import AgentApp
from agentscope_runtime.engine.helpers.agent_api_builder import ResponseBuilder
from agentscope_runtime.engine.schemas.agent_schemas import ContentType, MessageType, Role

app = AgentApp()


@app.query(framework="autogen")
async def answer(self, request, **kwargs):
    builder = ResponseBuilder(session_id=request.session_id)
    message = builder.create_message_builder(role=Role.ASSISTANT, message_type=MessageType.MESSAGE)
    yield message.get_message_data()
    content = message.create_content_builder(content_type=ContentType.TEXT)
    for word in ("Hello ", "world"):
        yield content.add_text_delta(word)
    yield content.complete()
    yield message.complete()


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=8080)
