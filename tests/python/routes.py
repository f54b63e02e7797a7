"""An agent, and an application with routes of its own."""

import asyncio
import os

from agent_server import Run, agent, mount

gone = asyncio.Event()
go_on = asyncio.Event()


@agent
async def echo(run: Run):
    return run.text


@agent
async def told(run: Run):
    return f"{run.headers.get('x-own')} {run.query}"


async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    if scope["path"] == "/stream":
        await send({"type": "http.response.body", "body": b"begun", "more_body": True})
        await receive()
        assert (await receive())["type"] == "http.disconnect"
        gone.set()
        return
    if scope["path"] == "/until_gone":
        await gone.wait()
    if scope["path"] == "/die":
        await send({"type": "http.response.body", "body": b"begun", "more_body": True})
        await go_on.wait()
        os._exit(1)
    if scope["path"] == "/go_on":
        go_on.set()
    body = (await receive())["body"]
    text = f"{scope['method']} {scope['path']}?{scope['query_string'].decode()} {len(body)}"
    await send({"type": "http.response.body", "body": text.encode()})


mount(application)
