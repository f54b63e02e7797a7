# 1.0.x: a class of runners with an agent, which the program asks itself.
import asyncio

from agentscope.agent import ReActAgent
from agentscope.formatter import OpenAIChatFormatter
from agentscope.pipeline import stream_printing_messages
from scripted_agentscope import ScriptedModel

from agentscope_runtime.engine.runner import Runner
from agentscope_runtime.engine.schemas.agent_schemas import AgentRequest, MessageType, RunStatus


class MyRunner(Runner):
    framework_type = "agentscope"

    async def query_handler(self, msgs, request: AgentRequest = None, **kwargs):
        agent = ReActAgent(
            name="Friday", model=ScriptedModel(), sys_prompt="You help.", formatter=OpenAIChatFormatter()
        )
        agent.set_console_output_enabled(False)
        async for msg, last in stream_printing_messages(agents=[agent], coroutine_task=agent(msgs)):
            yield msg, last


async def main():
    texts = []
    message = {"role": "user", "content": [{"type": "text", "text": "Hi"}]}
    async with MyRunner() as runner:
        async for event in runner.stream_query(AgentRequest(input=[message])):
            if event.object == "message" and MessageType.MESSAGE == event.type and RunStatus.Completed == event.status:
                texts.append(event.content[0].text)
    return texts


if __name__ == "__main__":
    print(asyncio.run(main()))
