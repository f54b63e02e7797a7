"""Usage: server.py PORT"""

import sys

from agentscope.message import Msg, TextBlock
from agentscope_runtime.engine.app import AgentApp
from words import words

app = AgentApp(app_name="words", app_description="Says words.")


# An agent of the framework agentscope sends the whole text so far with each word, and the server finds what is new.
@app.query(framework="agentscope")
async def query(self, msgs, request=None, **kwargs):
    message = Msg(name="words", content=[], role="assistant")
    said = ""
    async for word in words(request.input[-1].content[0].text):
        said += word
        part = Msg(name="words", content=[TextBlock(type="text", text=said)], role="assistant")
        part.id = message.id
        yield part, False
    yield part, True


app.run(host="127.0.0.1", port=int(sys.argv[1]))
