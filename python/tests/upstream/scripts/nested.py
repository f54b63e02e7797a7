# A program that may run loops inside of loops.
import asyncio

import nest_asyncio

from agentscope_runtime.engine import AgentApp

nest_asyncio.apply()
app = AgentApp(app_name="nested")


async def one():
    await asyncio.sleep(0)
    return 1


async def two():
    return asyncio.run(one()) + asyncio.get_event_loop().run_until_complete(one())


number = asyncio.run(two())


@app.query(framework="text")
async def answer(self, request, **kwargs):
    yield f"{number} {asyncio.run(one())} "
    yield str(asyncio.get_event_loop().run_until_complete(two()))


app.run()
