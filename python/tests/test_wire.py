"""The encoding of frames."""

import os
import random
import unittest

from agent_server import _wire


class Frames(unittest.TestCase):
    def decode(self, data: bytes, step: int) -> list[_wire.Frame]:
        decoder, frames = _wire.Decoder(), []
        for start in range(0, len(data), step):
            frames += decoder.feed(data[start : start + step])
        return frames

    def test_frames__in_any_pieces__round_trip(self) -> None:
        frames = [
            _wire.Frame(_wire.RUN, 0, 1, b'{"id":1}'),
            _wire.Frame(_wire.CANCEL, 0, 4294967295, b""),
            _wire.Frame(_wire.RUN, 0, 2, bytes(_wire.MAX_PAYLOAD + 5)),
            _wire.Frame(_wire.CREDIT, 65535, 2, b"{}"),
        ]
        data = b"".join(_wire.encode(*frame) for frame in frames)
        for step in [7, 4096, len(data)]:
            self.assertEqual(self.decode(data, step), frames)
        self.assertEqual(self.decode(data[:-1], 4096), frames[:-1])

    def test_long_text__pieces__end_between_characters(self) -> None:
        text = "aü€😀" * 300_000
        pieces = self.decode(_wire.encode(_wire.TEXT, 1, 1, text.encode()), 65_536)
        self.assertEqual(pieces[0].payload.decode(), text)

    def test_random_pieces__of_many_runs__are_joined(self) -> None:
        chance = random.Random(1)
        wanted = {run: chance.randbytes(chance.randrange(3 * _wire.MAX_PAYLOAD)) for run in range(1, 6)}
        queues = {run: [*_split(_wire.encode(_wire.RUN, 0, run, payload))] for run, payload in wanted.items()}
        data = b""
        while any(queues.values()):
            run = chance.choice([run for run, pieces in queues.items() if pieces])
            data += queues[run].pop(0)
        found = {frame.run: frame.payload for frame in self.decode(data, 100_000)}
        self.assertEqual(found, wanted)

    def test_random_bytes__cut_anywhere__are_the_same_frames(self) -> None:
        for seed in range(int(os.environ.get("AGENT_TEST_ROUNDS", "200"))):
            chance = random.Random(seed)
            data = b"".join(_random_part(chance) for _ in range(chance.randrange(20)))
            cuts = sorted(chance.randrange(len(data) + 1) for _ in range(chance.randrange(20)))
            expected = _found([data[place : place + 1] for place in range(len(data))])
            edges = [0, *cuts, len(data)]
            pieces = [data[start:end] for start, end in zip(edges, edges[1:])]
            found = _found(pieces)
            # An error also takes what came with the same piece.
            count = len(found[0]) if found[1] else len(expected[0])
            self.assertEqual(found, (expected[0][:count], expected[1]), f"seed {seed}")
            torn = _found([data[: chance.randrange(len(data) + 1)]])
            self.assertEqual(torn[0], expected[0][: len(torn[0])], f"seed {seed}")


def _random_part(chance: random.Random) -> bytes:
    """A piece of a frame whose key often is that of another one, or now and then garbage."""
    if chance.random() < 0.05:
        return chance.randbytes(chance.randrange(30))
    payload = chance.randbytes(chance.randrange(40))
    frame = bytearray(_wire.encode(_wire.RUN, chance.randrange(2), chance.randrange(3), payload))
    frame[5] = chance.randrange(2)
    return bytes(frame)


def _found(pieces: list[bytes]) -> tuple[list[_wire.Frame], bool]:
    """The frames of bytes that arrive in these pieces up to the first error, and whether there is one."""
    decoder = _wire.Decoder()
    frames: list[_wire.Frame] = []
    for piece in pieces:
        try:
            frames += decoder.feed(piece)
        except ValueError:
            return frames, True
    return frames, False


def _split(data: bytes) -> list[bytes]:
    """The frames of encoded bytes, pieces apart."""
    frames = []
    while data:
        end = 12 + int.from_bytes(data[:4], "little")
        frames.append(data[:end])
        data = data[end:]
    return frames


if __name__ == "__main__":
    unittest.main()
