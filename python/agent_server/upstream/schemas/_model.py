"""What all classes of upstream's protocol are made of."""

from __future__ import annotations

try:
    from pydantic import BaseModel
except ImportError as error:
    raise ImportError("the classes of agentscope-runtime need pydantic: pip install pydantic") from error

__all__ = ["BaseModel"]
