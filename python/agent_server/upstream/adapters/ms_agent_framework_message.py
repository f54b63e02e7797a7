"""Messages of Microsoft Agent Framework."""

from __future__ import annotations

from typing import Any, List

from ._read import read

__all__ = ["message_to_ms_agent_framework_message"]


def message_to_ms_agent_framework_message(messages: Any, **_options: Any) -> List[Any]:
    """The framework's messages for those of the protocol."""
    return read("ms_agent_framework", messages)
