"""What every agent here says: the words of its input, with the pause in milliseconds that the input's first word, such as
d50, asks for before each of them except the first.

The words are due at fixed times, so that an agent's own delays are not taken for those of its server.
"""

import asyncio
import time


async def words(text):
    first, _, rest = text.partition(" ")
    delay = int(first[1:]) / 1000
    said = rest.split(" ")
    started = time.monotonic()
    for number, word in enumerate(said):
        if number and delay:
            await asyncio.sleep(max(0.0, started + number * delay - time.monotonic()))
        yield word if number == len(said) - 1 else word + " "
