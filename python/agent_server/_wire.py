"""The frames of the worker protocol (docs/protocols/worker.md)."""

from __future__ import annotations

import json
import struct
from typing import Any, Iterator, NamedTuple

VERSION = 1
"""The version of the protocol, which is also the oldest one that this package speaks."""
MAX_PAYLOAD = 1024 * 1024

HELLO, RUN, CANCEL, CREDIT, REPLY, DRAIN, PING, REQUEST, BODY = 1, 2, 3, 5, 7, 8, 9, 10, 11
READY, FAILED, OPEN, TEXT, DATA, PUT, CLOSE = 65, 66, 67, 68, 69, 70, 71
EVENT, STOP_SESSION, CALL, DONE, LOG, PONG, RESPONSE, RESPONSE_BODY = 73, 74, 75, 76, 77, 78, 79, 80

_MORE = 1
# Made once: `json.dumps` with options makes one a call, which costs as much as a short frame.
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_HEAD = struct.Struct("<IBBHI")


class Frame(NamedTuple):
    """A frame whose payload is whole."""

    kind: int
    part: int
    run: int
    payload: bytes

    def json(self) -> dict[str, Any]:
        """The payload as an object."""
        value: dict[str, Any] = json.loads(self.payload) if self.payload else {}
        return value


def encode(kind: int, part: int, run: int, payload: bytes) -> bytes:
    """Encodes a frame, in pieces if it is long."""
    if len(payload) <= MAX_PAYLOAD:
        return _HEAD.pack(len(payload), kind, 0, part, run) + payload
    return b"".join(_pieces(kind, part, run, payload))


def head_of(kind: int, part: int, run: int) -> bytes:
    """The head of whole frames, without the length before it."""
    return _HEAD.pack(0, kind, 0, part, run)[4:]


def _pieces(kind: int, part: int, run: int, payload: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(payload):
        end = min(start + MAX_PAYLOAD, len(payload))
        # Pieces of a text end between characters.
        while kind == TEXT and end < len(payload) and payload[end] & 0xC0 == 0x80:
            end -= 1
        flags = _MORE if end < len(payload) else 0
        yield _HEAD.pack(end - start, kind, flags, part, run) + payload[start:end]
        start = end


def encode_json(kind: int, part: int, run: int, value: object) -> bytes:
    """Encodes a frame whose payload is JSON."""
    return encode(kind, part, run, json_bytes(value))


def json_bytes(value: object) -> bytes:
    """JSON in UTF-8. Halves of characters, which some models write, become question marks."""
    return _ENCODER.encode(value).encode("utf-8", "replace")


class Decoder:
    """Reads frames, whatever pieces their bytes arrive in."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._unfinished: dict[tuple[int, int, int], bytearray] = {}

    def feed(self, data: bytes) -> list[Frame]:
        """Takes bytes, and returns the frames that they complete."""
        buffer, frames, start = self._buffer, [], 0
        buffer += data
        while len(buffer) - start >= _HEAD.size:
            length, kind, flags, part, run = _HEAD.unpack_from(buffer, start)
            if length > MAX_PAYLOAD:
                raise ValueError(f"a frame of {length} bytes is larger than {MAX_PAYLOAD} bytes")
            end = start + _HEAD.size + length
            if len(buffer) < end:
                break
            payload = bytes(buffer[start + _HEAD.size : end])
            start = end
            key = (kind, part, run)
            if flags & _MORE or key in self._unfinished:
                joined = self._unfinished.setdefault(key, bytearray())
                joined += payload
                if flags & _MORE:
                    continue
                payload = bytes(self._unfinished.pop(key))
            frames.append(Frame(kind, part, run, payload))
        del buffer[:start]
        return frames
