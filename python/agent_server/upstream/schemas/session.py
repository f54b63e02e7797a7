"""Conversations, as the session history services return them."""

from __future__ import annotations

from typing import Any, Dict, List, Union

from ._model import BaseModel
from .messages import Message


class Session(BaseModel):
    """A conversation of a user."""

    id: str
    user_id: str
    messages: List[Union[Message, Dict[str, Any]]] = []
