# An app that is made in an event loop, which has ended when the app is served.
import asyncio

from agentscope_runtime.engine import AgentApp

lock = asyncio.Lock()


async def connect():
    queue = asyncio.Queue()
    async with lock:
        await asyncio.sleep(0)
        queue.put_nowait("first")
    return queue


async def create():
    app = AgentApp(app_name="looped")
    queue = await connect()
    assert await queue.get() == "first"

    @app.query(framework="text")
    async def answer(self, request, **kwargs):
        async with lock:
            asyncio.get_running_loop().call_soon(queue.put_nowait, "from the queue")
            yield await queue.get()

    return app


app = asyncio.get_event_loop().run_until_complete(create())
number = asyncio.run(asyncio.sleep(0, 7))
app.run()
