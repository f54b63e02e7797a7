"""An MCP server over standard input and output (2025-11-25, or 2026-07-28 if it is to be modern), whose tools do what can go
wrong."""

import json
import os
import sys
import threading
import time

cancelled = []
lock = threading.Lock()
more = False
modern = "modern" in sys.argv
subscriptions = []


def send(message):
    with lock:
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        sys.stdout.flush()


def text(value, **others):
    return {"content": [{"type": "text", "text": value}], **others}


SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId"
PIXEL = "iVBORw0KGgo="


def call(name, arguments, token):
    if name == "echo":
        return text(arguments.get("text", ""))
    if name == "structured":
        return text('{"sum": 3}', structuredContent={"sum": 3})
    if name == "image":
        return {"content": [{"type": "image", "data": PIXEL, "mimeType": "image/png"}]}
    if name == "fails":
        return text("no such city", isError=True)
    if name == "reports":
        for step in range(3):
            params = {"progressToken": token, "progress": step, "total": 3, "message": f"step {step}"}
            send({"method": "notifications/progress", "params": params})
            time.sleep(0.2)
        return text("done")
    if name == "cancelled":
        return text(str(len(cancelled)))
    if name == "environment":
        return text(" ".join(sorted(os.environ)))
    if name == "dies":
        os._exit(3)
    if name == "garbage":
        with lock:
            sys.stdout.write("this is no JSON\n")
            sys.stdout.flush()
        return text("still here")
    if name == "floods":
        for step in range(5_000):
            send({"method": "notifications/progress", "params": {"progressToken": token, "progress": step}})
            send({"method": "notifications/message", "params": {"level": "info", "data": f"record {step}"}})
            send({"method": "notifications/tools/list_changed"} if step % 100 == 0 else {"method": "unknown"})
        return text("done")
    if name == "large":
        return text("x" * 50_000_000)
    if name == "grows":
        global more
        more = True
        for subscription in subscriptions if modern else [None]:
            meta = {"_meta": {SUBSCRIPTION: subscription}} if modern else {}
            send({"method": "notifications/tools/list_changed", "params": meta})
        return text("grown")
    return None


def tool(name):
    return {"name": name, "description": f"Does {name}.", "inputSchema": {"type": "object"}}


def pages(cursor):
    """Two pages, and a cursor that comes again for ever."""
    if cursor is None:
        names = ["echo", "structured", "image", "fails", "reports", "hangs", "cancelled"]
    else:
        names = ["environment", "dies", "garbage", "large", "grows"] + (["new"] if more else [])
        names += ["floods"] if "floods" in sys.argv else []
        names += ["asks"] if modern else []
    tools = [tool(name) for name in names]
    if cursor is None:
        tools.append({"name": "odd", "inputSchema": {"type": "object", "oneOf": [{}]}})
        tools.extend([{"name": "none"}, {"inputSchema": {}}, 7] if "strange" in sys.argv else [])
    return {"tools": tools if cursor != "again" else [], "nextCursor": "next" if cursor is None else "again"}


def answer_modern(method, params, id):
    """What is different since 2026-07-28."""
    complete = {"resultType": "complete", "ttlMs": 3_600_000, "cacheScope": "public"}
    if method == "server/discover":
        return {**complete, "supportedVersions": ["2026-07-28"], "capabilities": {"tools": {"listChanged": True}}}
    if method == "tools/list":
        return {**complete, **pages(params.get("cursor"))}
    if method == "subscriptions/listen":
        subscriptions.append(id)
        params = {"_meta": {SUBSCRIPTION: id}, "notifications": params["notifications"]}
        send({"method": "notifications/subscriptions/acknowledged", "params": params})
    if method == "tools/call" and params["name"] == "asks":
        if "inputResponses" in params:
            return text(json.dumps([params["inputResponses"], params["requestState"]]), resultType="complete")
        schema = {"type": "object", "properties": {"size": {"type": "string"}}}
        question = {"mode": "form", "message": "Which size?", "requestedSchema": schema}
        requests = {"size": {"method": "elicitation/create", "params": question}}
        return {"resultType": "input_required", "inputRequests": requests, "requestState": "half"}
    return None


def answer(request):
    method, params, id = request["method"], request.get("params") or {}, request.get("id")
    if modern and (result := answer_modern(method, params, id)):
        send({"id": id, "result": result})
        return
    if modern and method == "subscriptions/listen":
        return
    if method == "initialize":
        send({"id": id, "result": {
            "protocolVersion": "2025-11-25",
            "capabilities": {"tools": {"listChanged": True}},
            "serverInfo": {"name": "test", "version": "1"},
        }})
    elif method == "tools/list":
        send({"id": id, "result": pages(params.get("cursor"))})
    elif method == "tools/call":
        result = call(params["name"], params.get("arguments") or {}, params.get("_meta", {}).get("progressToken"))
        if result is not None:
            send({"id": id, "result": {**result, "resultType": "complete"} if modern else result})
    elif method == "notifications/cancelled":
        cancelled.append(params["requestId"])
    elif id is not None:
        send({"id": id, "error": {"code": -32601, "message": "Method not found"}})


# More than a pipe holds, before anything else.
sys.stderr.write("starting\n" * 32 * 1024)
sys.stderr.flush()
if "banner" in sys.argv:
    print("Welcome!", flush=True)
if "stubborn" in sys.argv:
    import signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
for line in sys.stdin:
    threading.Thread(target=answer, args=(json.loads(line),), daemon=True).start()
if "stubborn" in sys.argv:
    time.sleep(3600)
