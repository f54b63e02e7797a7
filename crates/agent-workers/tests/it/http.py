"""Applications of a script, without a framework."""

import asyncio
import json
import os

from agent_server import Run, _agents, agent, mount
from agent_server._http import CHECK

PIECE = b"x" * 1000
counts = {"sent": 0}
gone = asyncio.Event()
go_on = asyncio.Event()


@agent
async def echo(run: Run):
    return run.text


async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        scope["state"]["greeting"] = "started"
        await send({"type": "lifespan.startup.complete"})
        await receive()
        print("the application has stopped")
        await send({"type": "lifespan.shutdown.complete"})
        return
    if CHECK in scope:
        await check(scope, receive, send)
        return
    await ROUTES.get(scope["path"], nothing)(scope, receive, send)


async def begin(send, status=200, *headers):
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def end(send, body):
    await send({"type": "http.response.body", "body": body})


async def nothing(scope, receive, send):
    await begin(send, 404)
    await end(send, b"nothing")


async def echoes(scope, receive, send):
    message = await receive()
    request = {
        "method": scope["method"],
        "query": scope["query_string"].decode(),
        "header": dict(scope["headers"])[b"x-own"].decode("latin-1"),
        "client": scope["client"],
        "state": scope["state"],
        "body": message["body"].decode("latin-1"),
        "more_body": message["more_body"],
    }
    headers = (b"set-cookie", "a=ü".encode("latin-1")), (b"set-cookie", b"b=2"), (b"connection", b"close")
    await begin(send, 201, *headers)
    await end(send, json.dumps(request).encode())


async def endless(scope, receive, send):
    await begin(send)
    while True:
        await send({"type": "http.response.body", "body": PIECE, "more_body": True})
        counts["sent"] += len(PIECE)


async def sent(scope, receive, send):
    await begin(send)
    await end(send, str(counts["sent"]).encode())


async def waits(scope, receive, send):
    await begin(send)
    await send({"type": "http.response.body", "body": b"waiting", "more_body": True})
    await receive()
    assert (await receive())["type"] == "http.disconnect"
    gone.set()


async def until_gone(scope, receive, send):
    await gone.wait()
    await begin(send)
    await end(send, b"gone")


async def fails_early(scope, receive, send):
    raise ValueError("a secret")


async def fails_late(scope, receive, send):
    await begin(send)
    await send({"type": "http.response.body", "body": b"begun", "more_body": True})
    raise ValueError("a secret")


async def dies(scope, receive, send):
    await begin(send)
    await send({"type": "http.response.body", "body": b"begun", "more_body": True})
    await go_on.wait()
    os._exit(1)


async def goes_on(scope, receive, send):
    await begin(send)
    await end(send, b"")
    go_on.set()


async def in_the_background(scope, receive, send):
    """Answers, and works on after that."""
    await begin(send)
    await end(send, b"accepted")
    await gone.wait()
    print("the background work is done")


async def large(scope, receive, send):
    await begin(send)
    await end(send, b"y" * 3_000_000)


IMPOSSIBLE = [
    (200, (b"x-own", b"a\nb")),
    (200, (b"x own", b"a")),
    (200, (b"content-length", b"many")),
    (200, (b"content-length", b"1"), (b"content-length", b"2")),
    (101,),
    (0,),
    (999,),
]


async def impossible(scope, receive, send):
    await begin(send, *IMPOSSIBLE[int(scope["query_string"])])
    await end(send, b"")


async def many_headers(scope, receive, send):
    await begin(send, 200, *((b"x-own", b"x" * 1000) for _ in range(2000)))
    await end(send, b"whole")


async def in_two_pieces(scope, receive, send):
    """Ends after the client has as much as it was told, as Starlette's middleware does."""
    await begin(send, 200, (b"content-length", b"5"))
    await send({"type": "http.response.body", "body": b"whole", "more_body": True})
    await receive()
    assert (await receive())["type"] == "http.disconnect"
    await end(send, b"")
    print("the second piece was sent")


async def without_body(scope, receive, send):
    """Answers with a body where there is none, and says whether it could."""
    await begin(send, 200 if scope["method"] == "HEAD" else 204)
    for _ in range(1000):
        await send({"type": "http.response.body", "body": PIECE, "more_body": True})
    await end(send, b"")
    print("the body without a reader is whole")


ROUTES = {
    "/many_headers": many_headers,
    "/without_body": without_body,
    "/in_two_pieces": in_two_pieces,
    "/echo": echoes,
    "/endless": endless,
    "/sent": sent,
    "/waits": waits,
    "/until_gone": until_gone,
    "/fails_early": fails_early,
    "/fails_late": fails_late,
    "/dies": dies,
    "/goes_on": goes_on,
    "/background": in_the_background,
    "/large": large,
    "/impossible": impossible,
}


async def check(scope, receive, send):
    """Lets a request pass that has a key."""
    body = (await receive())["body"]
    if body != b"the key":
        await begin(send, 401)
        await end(send, b"no key in " + body)
        return

    async def adding(message):
        if message["type"] == "http.response.start":
            message["headers"].append((b"x-checked", b"yes"))
        await send(message)

    await scope[CHECK].let_pass(adding)


async def second(scope, receive, send):
    # One that knows no lifespan.
    assert scope["type"] == "http"
    if scope["path"] == "/second":
        await begin(send)
        await end(send, b"second " + (await receive())["body"])
    else:
        await begin(send, 404)
        await end(send, b"nothing in both")


mount(application)
mount(second)
_agents.applications[0].checks = lambda: True
