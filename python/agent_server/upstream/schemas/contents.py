"""Events, and the contents of messages."""

from __future__ import annotations

from typing import Any, Dict, Literal, Optional, TypeVar

from ._model import BaseModel
from .constants import ContentType, RunStatus

AnyEvent = TypeVar("AnyEvent", bound="Event")


class Error(BaseModel):
    """Why something has failed."""

    code: str
    message: str


class Event(BaseModel):
    """Something that the stream reports. The methods set its status and return it."""

    sequence_number: Optional[int] = None
    object: str
    status: Optional[str] = None
    error: Optional[Error] = None

    def created(self: AnyEvent) -> AnyEvent:
        """Sets the status ``created``."""
        return self._with_status(RunStatus.Created)

    def in_progress(self: AnyEvent) -> AnyEvent:
        """Sets the status ``in_progress``."""
        return self._with_status(RunStatus.InProgress)

    def completed(self: AnyEvent) -> AnyEvent:
        """Sets the status ``completed``."""
        return self._with_status(RunStatus.Completed)

    def failed(self: AnyEvent, error: Error) -> AnyEvent:
        """Sets the status ``failed``, and the reason."""
        self.error = error
        return self._with_status(RunStatus.Failed)

    def rejected(self: AnyEvent) -> AnyEvent:
        """Sets the status ``rejected``."""
        return self._with_status(RunStatus.Rejected)

    def canceled(self: AnyEvent) -> AnyEvent:
        """Sets the status ``canceled``."""
        return self._with_status(RunStatus.Canceled)

    def _with_status(self: AnyEvent, status: str) -> AnyEvent:
        self.status = status
        return self


class Content(Event):
    """A part of a message, or what is appended to one (``delta``)."""

    object: str = "content"
    type: str
    index: Optional[int] = None
    delta: Optional[bool] = False
    msg_id: Optional[str] = None

    @staticmethod
    def from_chat_completion_chunk(chunk: Any, index: Optional[int] = None) -> Optional["Content"]:
        """The content of a chunk of OpenAI's Chat Completions: its text, or its first tool call."""
        if not chunk.choices:
            return None
        delta = chunk.choices[0].delta
        if delta.content is not None:
            return TextContent(delta=True, text=delta.content, index=index)
        call = delta.tool_calls[0] if delta.tool_calls else None
        if call is None or call.function is None:
            return None
        data = {"call_id": call.id, "name": call.function.name, "arguments": call.function.arguments}
        return DataContent(delta=True, data=data, index=index)


class ImageContent(Content):
    """An image: an address, or a ``data:`` URL."""

    type: Literal["image"] = ContentType.IMAGE  # type: ignore[assignment]
    image_url: Optional[str] = None


class TextContent(Content):
    """Text."""

    type: Literal["text"] = ContentType.TEXT  # type: ignore[assignment]
    text: Optional[str] = None


class DataContent(Content):
    """Structured data, such as a call of a tool."""

    type: Literal["data"] = ContentType.DATA  # type: ignore[assignment]
    data: Optional[Dict[str, Any]] = None


class AudioContent(Content):
    """Sound."""

    type: Literal["audio"] = ContentType.AUDIO  # type: ignore[assignment]
    data: Optional[str] = None
    format: Optional[str] = None


class VideoContent(Content):
    """A video: an address, or a ``data:`` URL."""

    type: Literal["video"] = ContentType.VIDEO  # type: ignore[assignment]
    video_url: Optional[str] = None


class FileContent(Content):
    """A file: an address, an identifier, or its data."""

    type: Literal["file"] = ContentType.FILE  # type: ignore[assignment]
    file_url: Optional[str] = None
    file_id: Optional[str] = None
    filename: Optional[str] = None
    file_data: Optional[str] = None


class RefusalContent(Content):
    """What a model says instead of an answer."""

    type: Literal["refusal"] = ContentType.REFUSAL  # type: ignore[assignment]
    refusal: Optional[str] = None
