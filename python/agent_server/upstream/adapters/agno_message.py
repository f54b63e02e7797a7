"""Messages of Agno."""

from __future__ import annotations

from typing import Any, List

from ._read import read

__all__ = ["message_to_agno_message"]


async def message_to_agno_message(messages: Any, **_options: Any) -> List[Any]:
    """Agno's messages for those of the protocol."""
    return read("agno", messages)
