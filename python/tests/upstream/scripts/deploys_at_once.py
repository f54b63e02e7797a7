# 1.1.x: a program without a main guard that deploys its app, and waits until it is stopped.
import asyncio

from agentscope_runtime.engine import AgentApp
from agentscope_runtime.engine.deployers.local_deployer import LocalDeployManager

app = AgentApp(app_name="deployed")
steps = []


@app.query(framework="text")
async def answer(self, request, **kwargs):
    yield request.input[-1].get_text_content()


async def main():
    deployer = LocalDeployManager(host="127.0.0.1", port=8091)
    found = await app.deploy(deployer)
    steps.append(found["url"])
    try:
        while True:
            await asyncio.sleep(3600)
    finally:
        steps.append("stopped")


asyncio.run(main())
steps.append("loaded")
