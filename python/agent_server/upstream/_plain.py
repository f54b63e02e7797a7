"""Values of scripts as JSON."""

from __future__ import annotations

import dataclasses
from typing import Any

_DEEPEST = 20


def plain(value: Any, depth: int = 0) -> Any:
    """A value as JSON: objects become their members, and what has none becomes its text."""
    if depth > _DEEPEST:
        return f"<too-deep-level-{depth}>"
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, dict):
        return {str(key): plain(member, depth + 1) for key, member in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(member, depth + 1) for member in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain(dataclasses.asdict(value), depth + 1)
    for method in ("model_dump", "to_map", "to_dict"):
        if callable(getattr(value, method, None)):
            return plain(getattr(value, method)(), depth + 1)
    return str(value)
