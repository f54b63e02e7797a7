"""Messages."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Dict, List, Literal, Optional, Union

from pydantic import Field

from .constants import ContentType, MessageType, RunStatus
from .contents import (
    AudioContent,
    Content,
    DataContent,
    Event,
    FileContent,
    ImageContent,
    RefusalContent,
    TextContent,
    VideoContent,
)

AgentContent = Annotated[
    Union[TextContent, ImageContent, DataContent, AudioContent, FileContent, RefusalContent, VideoContent],
    Field(discriminator="type"),
]


def _message_id() -> str:
    return f"msg_{uuid.uuid4()}"


class Message(Event):
    """A message of a request, of the history, or of a response."""

    id: str = Field(default_factory=_message_id)
    object: str = "message"
    type: str = MessageType.MESSAGE
    status: str = RunStatus.Created
    role: Optional[Literal["assistant", "system", "user", "tool"]] = None
    content: Optional[List[AgentContent]] = None
    code: Optional[str] = None
    message: Optional[str] = None
    usage: Optional[Dict[str, Any]] = None
    metadata: Optional[Dict[str, Any]] = None

    @staticmethod
    def from_openai_message(message: Any) -> "Message":
        """The message for one of OpenAI's Chat Completions, an object or a dictionary."""
        from .openai import from_openai_message

        return from_openai_message(message)

    def get_text_content(self) -> Optional[str]:
        """The text of the first text content."""
        for content in self.content or []:
            if isinstance(content, TextContent):
                return content.text
        return None

    def get_image_content(self) -> List[Optional[str]]:
        """The addresses of all images."""
        return [content.image_url for content in self.content or [] if isinstance(content, ImageContent)]

    def get_audio_content(self) -> List[Any]:
        """The audio inputs of a message in OpenAI's form, which messages of this protocol never have."""
        return []

    def add_delta_content(self, new_content: Any) -> Optional[Any]:
        """Appends a content that has no index, or merges a delta into the content at its index.

        Returns the event to send; nothing if the content has an index and is no delta.
        """
        if self.content is None:
            self.content = []
        if new_content.index is None:
            index = len(self.content)
            copy = new_content.model_copy(deep=True)
            copy.delta, copy.index, copy.msg_id = None, index, self.id
            self.content.append(copy)
            new_content.index = index
        elif new_content.delta is True:
            _merge(self.content[new_content.index], new_content)
        else:
            return None
        new_content.msg_id = self.id
        return new_content.in_progress()

    def add_content(self, new_content: Any) -> Optional[Any]:
        """Appends a whole content, and returns the event to send; nothing if the content has an index already."""
        if self.content is None:
            self.content = []
        if new_content.index is not None:
            return None
        self.content.append(new_content.model_copy(deep=True))
        new_content.index, new_content.msg_id = len(self.content) - 1, self.id
        return new_content.completed()

    def content_completed(self, content_index: int) -> Optional[Any]:
        """The event that says that a content is complete; nothing if there is no such content."""
        if self.content is None or content_index >= len(self.content):
            return None
        content = self.content[content_index].model_copy(deep=True)
        content.delta, content.index, content.msg_id = False, content_index, self.id
        return content.completed()


def _merge(content: Any, delta: Content) -> None:
    """Texts and image addresses are appended; so are texts and lists inside of data. Other contents stay."""
    if content.type == ContentType.TEXT:
        content.text = (content.text or "") + (delta.text or "")  # type: ignore[attr-defined]
    elif content.type == ContentType.IMAGE:
        content.image_url = (content.image_url or "") + (delta.image_url or "")  # type: ignore[attr-defined]
    elif content.type == ContentType.DATA:
        data = content.data or {}
        for key, value in (delta.data or {}).items():  # type: ignore[attr-defined]
            for kind in (str, list):
                if isinstance(data.get(key), kind) and isinstance(value, kind):
                    data[key] = data[key] + value
