"""Requests and responses."""

from __future__ import annotations

import time
import uuid
from typing import Any, Dict, List, Optional, TypeVar, Union

from pydantic import ConfigDict, Field, field_validator

from ._model import BaseModel
from .constants import RunStatus
from .contents import Event
from .messages import Message
from .tools import Tool

AnyResponse = TypeVar("AnyResponse", bound="BaseResponse")


class BaseRequest(BaseModel):
    """What every request has."""

    input: List[Message]
    stream: bool = True
    id: Optional[str] = None


class AgentRequest(BaseRequest):
    """A request. Members of other names are kept."""

    model_config = ConfigDict(extra="allow")

    model: Optional[str] = None
    top_p: Optional[float] = None
    temperature: Optional[float] = None
    frequency_penalty: Optional[float] = None
    presence_penalty: Optional[float] = None
    max_tokens: Optional[int] = None
    stop: Optional[Union[str, List[str]]] = None
    n: Optional[int] = Field(default=1, ge=1, le=5)
    seed: Optional[int] = None
    tools: Optional[List[Union[Tool, Dict[str, Any]]]] = None
    session_id: Optional[str] = None
    user_id: Optional[str] = None


def _response_id() -> str:
    return f"response_{uuid.uuid4()}"


def _now() -> int:
    return int(time.time())


class BaseResponse(Event):
    """What every response has."""

    id: Optional[str] = Field(default_factory=_response_id)
    object: str = "response"
    created_at: int = Field(default_factory=_now)
    completed_at: Optional[int] = None
    output: Optional[List[Message]] = None
    usage: Optional[Dict[str, Any]] = None
    status: str = RunStatus.Created

    @field_validator("id", mode="before")
    @classmethod
    def _given_id(cls, value: Optional[str]) -> str:
        return _response_id() if value is None else value

    def add_new_message(self, message: Message) -> None:
        """Appends a message to the output."""
        self.output = [*(self.output or []), message]

    def completed(self: AnyResponse) -> AnyResponse:
        """Sets the status ``completed`` and the time."""
        self.completed_at = _now()
        self.output = self.output or []
        return self._with_status(RunStatus.Completed)


class AgentResponse(BaseResponse):
    """A response."""

    session_id: Optional[str] = None


class SequenceNumberGenerator:
    """Numbers events."""

    def __init__(self, start: int = 0) -> None:
        self._next = start

    def next(self) -> int:
        """The next number."""
        self._next += 1
        return self._next - 1

    def yield_with_sequence(self, event: Event) -> Event:
        """Gives an event the next number, and returns it."""
        event.sequence_number = self.next()
        return event
