"""The encoding of frames."""

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
