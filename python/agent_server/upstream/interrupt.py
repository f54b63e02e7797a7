"""Upstream's stores of interrupts. The server cancels runs itself, so apps do not use them."""

from __future__ import annotations

from abc import ABC
from enum import Enum
from typing import Any

__all__ = ["BaseInterruptBackend", "InterruptSignal", "LocalInterruptBackend", "RedisInterruptBackend", "TaskState"]


class InterruptSignal(str, Enum):
    """What a run is told."""

    STOP = "STOP"
    PAUSE = "PAUSE"
    RESUME = "RESUME"


class TaskState(str, Enum):
    """How far a run has come."""

    IDLE = "IDLE"
    RUNNING = "RUNNING"
    STOPPED = "STOPPED"
    FINISHED = "FINISHED"
    ERROR = "ERROR"


class BaseInterruptBackend(ABC):
    """Where signals and states are kept."""

    def __init__(self, *_values: Any, **_options: Any) -> None:
        pass


class LocalInterruptBackend(BaseInterruptBackend):
    """In this process."""


class RedisInterruptBackend(BaseInterruptBackend):
    """In Redis."""
