"""Usage: server.py PORT"""

import sys

from agentscope_runtime.engine.app import AgentApp
from agentscope_runtime.engine.helpers.agent_api_builder import ResponseBuilder
from words import words

app = AgentApp(app_name="words", app_description="Says words.")


# With this framework, the agent's events are sent as they are.
@app.query(framework="autogen")
async def query(self, request=None, **kwargs):
    message = ResponseBuilder(session_id=request.session_id).create_message_builder("assistant")
    yield message.get_message_data()
    content = message.create_content_builder()
    async for word in words(request.input[-1].content[0].text):
        yield content.add_text_delta(word)
    yield content.complete()
    yield message.complete()


app.run(host="127.0.0.1", port=int(sys.argv[1]))
