"""Messages of the protocol as those of a framework."""

from __future__ import annotations

import importlib
from typing import Any, List

from ..schemas import Message

__all__ = ["read"]


def read(framework: str, messages: Any) -> List[Any]:
    """The framework's messages for one or several of the protocol."""
    given = messages if isinstance(messages, list) else [messages]
    plain = [each.model_dump(mode="json") if isinstance(each, Message) else each for each in given]
    frameworks: Any = importlib.import_module("agent_server.frameworks")
    return list(frameworks.read(framework, plain))
