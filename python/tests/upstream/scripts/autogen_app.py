# An agent of AutoGen for each request, which upstream names but does not adapt.
from autogen_agentchat.agents import AssistantAgent
from autogen_core.models import CreateResult, ModelFamily, RequestUsage
from autogen_core import FunctionCall
from autogen_ext.models.replay import ReplayChatCompletionClient

from agentscope_runtime.engine import AgentApp
from agentscope_runtime.engine.schemas.agent_schemas import AgentRequest

agent_app = AgentApp(app_name="AutoGen")


async def get_weather(location: str) -> str:
    """Looks at the sky."""
    return f"sun in {location}"


def model():
    call = FunctionCall(id="call_1", name="get_weather", arguments='{"location": "Paris"}')
    calling = CreateResult(
        finish_reason="function_calls", content=[call], usage=RequestUsage(prompt_tokens=1, completion_tokens=1), cached=False
    )
    info = {
        "vision": False,
        "function_calling": True,
        "json_output": False,
        "family": ModelFamily.UNKNOWN,
        "structured_output": False,
    }
    return ReplayChatCompletionClient([calling, "Sunny"], model_info=info)


@agent_app.query(framework="autogen")
async def query_func(self, request: AgentRequest, **kwargs):
    agent = AssistantAgent("Friday", model(), tools=[get_weather], reflect_on_tool_use=True, model_client_stream=True)
    async for item in agent.run_stream(task=request.input[-1].get_text_content()):
        yield item


if __name__ == "__main__":
    agent_app.run(host="127.0.0.1", port=8090)
