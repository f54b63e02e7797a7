"""A worker that breaks the protocol in the way that its argument names, and otherwise answers each run with "hello"."""

import json
import os
import socket
import struct
import sys
import time

data = socket.socket(fileno=int(os.environ["AGENT_SERVER_WORKER_DATA"]))
health = socket.socket(fileno=int(os.environ["AGENT_SERVER_WORKER_HEALTH"]))
how = sys.argv[1]


def frame(kind: int, payload: object = b"", part: int = 0, run: int = 0, flags: int = 0) -> bytes:
    encoded = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return struct.pack("<IBBHI", len(encoded), kind, flags, part, run) + encoded


def receive() -> tuple[int, int]:
    """The kind and the run of the next frame."""
    length, kind, _, _, run = struct.unpack("<IBBHI", data.recv(12, socket.MSG_WAITALL))
    data.recv(length, socket.MSG_WAITALL)
    return kind, run


receive()
if how == "silent":
    time.sleep(60)
if how == "exits_early":
    sys.exit(7)
if how == "other_version":
    data.sendall(frame(65, {"version": 99, "agents": []}))
if how == "no_frames":
    data.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
data.sendall(frame(65, {"version": 1, "agents": [{"name": "a"}]}))

while True:
    kind, run = receive()
    if kind != 2:
        continue
    opened = frame(67, {"kind": "message"}, 1, run)
    hello = opened + frame(68, b"hello", 1, run) + frame(71, b"", 1, run)
    done = frame(76, {"status": "completed"}, 0, run)
    if how == "torn":
        data.sendall(hello + done[:-1])
        os._exit(0)
    elif how == "unknown_part":
        data.sendall(opened + frame(68, b"hello", 9, run))
    elif how == "no_text":
        data.sendall(opened + frame(68, b"\xff", 1, run))
    elif how == "no_json":
        data.sendall(frame(67, b"{", 1, run))
    elif how == "unknown_kind":
        data.sendall(opened + frame(200, b"", 1, run))
    elif how == "beyond_credit":
        data.sendall(opened)
        while True:
            data.sendall(frame(68, b"x" * 60_000, 1, run))
    elif how == "after_the_end":
        data.sendall(hello + done + hello + done)
    elif how == "other_run":
        data.sendall(frame(68, b"stray", 1, run + 7) + hello + done)
    elif how == "closes":
        data.sendall(hello)
        data.shutdown(socket.SHUT_RDWR)
        time.sleep(60)
    elif how == "byte_by_byte":
        for byte in hello + done:
            data.sendall(bytes([byte]))
    else:
        data.sendall(hello + done)
