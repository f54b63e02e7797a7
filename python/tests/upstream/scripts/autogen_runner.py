# A class of runners with a team of AutoGen.
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_ext.models.replay import ReplayChatCompletionClient

from agentscope_runtime.engine.runner import Runner


class TeamRunner(Runner):
    framework_type = "autogen"

    async def query_handler(self, request=None, **kwargs):
        agents = [AssistantAgent(name, ReplayChatCompletionClient([f"I am {name}"])) for name in ("Ann", "Bob")]
        team = RoundRobinGroupChat(agents, termination_condition=MaxMessageTermination(3))
        async for item in team.run_stream(task=request.input[-1].get_text_content()):
            yield item
