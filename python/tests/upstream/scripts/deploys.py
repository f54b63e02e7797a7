# A deployment from a program.
import asyncio

from agentscope_runtime.engine import AgentApp, LocalDeployManager, Runner
from agentscope_runtime.engine.deployers.utils.deployment_modes import DeploymentMode

agent_app = AgentApp(app_name="Deployed", app_description="x")


@agent_app.query(framework="agentscope")
async def query_func(self, msgs, request=None, **kwargs):
    assert isinstance(self, Runner)
    yield msgs[0], True


async def main():
    deployer = LocalDeployManager(host="127.0.0.1", port=8091)
    return await agent_app.deploy(deployer=deployer, endpoint_path="/process", mode=DeploymentMode.DAEMON_THREAD)


if __name__ == "__main__":
    asyncio.run(main())
    input("Press Enter to stop the server...")
