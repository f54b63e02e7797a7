"""Agents of each framework whose model says the same words every time.

Each module has ``agent()``, which makes what a script would serve, and ``stream()``, what the framework streams for one
answer when it is used by itself.
"""

WORDS = [f"word{number} " for number in range(200)]
