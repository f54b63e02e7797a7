# 1.0.x: a class of runners; the program at the end uses it itself.
import asyncio

from agentscope_runtime.engine.runner import Runner
from agentscope_runtime.engine.schemas.agent_schemas import AgentRequest, RunStatus, TextContent


class EchoRunner(Runner):
    def __init__(self) -> None:
        super().__init__()
        self.framework_type = "text"

    async def init_handler(self, *args, **kwargs):
        self.greeting = "You said: "

    async def query_handler(self, request: AgentRequest = None, **kwargs):
        yield self.greeting
        yield request.input[-1].get_text_content()


async def main(text):
    texts = []
    async with EchoRunner() as runner:
        message = {"role": "user", "type": "message", "content": [{"type": "text", "text": text}]}
        async for event in runner.stream_query({"input": [message], "session_id": "s"}):
            if isinstance(event, TextContent) and event.status == RunStatus.InProgress:
                texts.append(event.text)
    return texts


if __name__ == "__main__":
    print(asyncio.run(main("hello")))
