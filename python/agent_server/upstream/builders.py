"""Builders of a response: they return the events that an agent yields."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Callable, Dict, Iterator, List, Optional

from .schemas import (
    AgentResponse,
    AudioContent,
    Content,
    ContentType,
    DataContent,
    Event,
    FileContent,
    ImageContent,
    Message,
    RefusalContent,
    Role,
    TextContent,
    VideoContent,
)

_CONTENTS: Dict[str, Any] = {
    ContentType.TEXT: TextContent,
    ContentType.DATA: DataContent,
    ContentType.IMAGE: ImageContent,
    ContentType.AUDIO: AudioContent,
    ContentType.FILE: FileContent,
    ContentType.REFUSAL: RefusalContent,
    ContentType.VIDEO: VideoContent,
}


class ContentBuilder:
    """Builds a content of a message."""

    def __init__(
        self, message_builder: MessageBuilder, content_type: str = ContentType.TEXT, index: int = 0
    ) -> None:
        if content_type not in _CONTENTS:
            raise ValueError(f"Unsupported content type: {content_type}")
        self.message_builder, self.content_type, self.index = message_builder, content_type, index
        self.content: Any = _CONTENTS[content_type](index=index, msg_id=message_builder.message.id)
        self._texts: List[str] = []
        self._data: List[Dict[str, Any]] = []

    def add_text_delta(self, text: str) -> Any:
        """Appends text."""
        self._require("add_text_delta", ContentType.TEXT)
        self._texts.append(text)
        return self._delta(TextContent, text=text)

    add_delta = add_text_delta

    def set_text(self, text: str) -> Content:
        """Sets the text; deltas are appended to it."""
        return self._set("set_text", ContentType.TEXT, text=text)

    def set_refusal(self, text: str) -> Content:
        """Sets the refusal."""
        return self._set("set_refusal", ContentType.REFUSAL, refusal=text)

    def set_image_url(self, image_url: str) -> Content:
        """Sets the address of the image."""
        return self._set("set_image_url", ContentType.IMAGE, image_url=image_url)

    def set_data(self, data: Dict[str, Any]) -> Content:
        """Sets the data; deltas are merged into it."""
        return self._set("set_data", ContentType.DATA, data=data)

    def update_data(self, key: str, value: Any) -> Content:
        """Sets one member of the data."""
        self._require("update_data", ContentType.DATA)
        return self._set("update_data", ContentType.DATA, data={**(self.content.data or {}), key: value})

    def add_data_delta(self, delta_data: Dict[str, Any]) -> Any:
        """Merges an object into the data."""
        self._require("add_data_delta", ContentType.DATA)
        self._data.append(delta_data)
        return self._delta(DataContent, data=delta_data)

    def complete(self) -> Content:
        """Completes the content, and puts it into its message."""
        content = self.content
        if self._texts:
            content.text = (content.text or "") + "".join(self._texts)
        if self._data:
            data: Dict[str, Any] = deepcopy(content.data) or {}
            for delta in self._data:
                data = merge_data(data, delta)
            content.data = data
        content.delta = False
        content.completed()
        self.message_builder.add_content(content)
        built: Content = content
        return built

    def get_content_data(self) -> Content:
        """The content."""
        content: Content = self.content
        return content

    def _require(self, method: str, content_type: str) -> None:
        if self.content_type != content_type:
            raise ValueError(f"{method} only supported for {content_type} content")

    def _set(self, method: str, content_type: str, **members: Any) -> Content:
        self._require(method, content_type)
        for name, value in members.items():
            setattr(self.content, name, value)
        in_progress: Content = self.content.in_progress()
        return in_progress

    def _delta(self, kind: Callable[..., Any], **members: Any) -> Any:
        message_id = self.message_builder.message.id
        return kind(index=self.index, delta=True, msg_id=message_id, **members).in_progress()


def merge_data(base: Dict[str, Any], delta: Dict[str, Any]) -> Dict[str, Any]:
    """Appends texts and lists, adds numbers, merges objects, and replaces everything else."""
    merged = dict(base)
    for key, value in delta.items():
        known = merged.get(key)
        if isinstance(known, dict) and isinstance(value, dict):
            merged[key] = merge_data(known, value)
        elif _can_add(known, value):
            merged[key] = known + value
        else:
            merged[key] = value
    return merged


def _can_add(known: Any, value: Any) -> bool:
    if isinstance(known, bool) or isinstance(value, bool):
        return False
    return any(isinstance(known, kind) and isinstance(value, kind) for kind in (str, list, (int, float)))


class MessageBuilder:
    """Builds a message of a response."""

    def __init__(
        self, response_builder: ResponseBuilder, role: str = Role.ASSISTANT, message_type: str = "message"
    ) -> None:
        self.response_builder, self.role = response_builder, role
        self.message = Message(role=role, type=message_type).in_progress()  # type: ignore[arg-type]
        self._contents = 0
        response_builder.add_message(self.message)

    def create_content_builder(self, content_type: str = ContentType.TEXT) -> ContentBuilder:
        """Opens the next content."""
        builder = ContentBuilder(self, content_type, self._contents)
        self._contents += 1
        return builder

    def add_content(self, content: Content) -> None:
        """Adds a content, or replaces the one of the same index."""
        contents: List[Any] = self.message.content or []
        for position, known in enumerate(contents):
            if known.index == content.index:
                contents[position] = content
                return
        contents.append(content)
        self.message.content = contents

    def get_message_data(self) -> Message:
        """The message."""
        return self.message

    def complete(self) -> Message:
        """Completes the message."""
        return self.message.completed()


class ResponseBuilder:
    """Builds a response."""

    def __init__(self, session_id: Optional[str] = None, response_id: Optional[str] = None) -> None:
        self.session_id = session_id
        self.response = AgentResponse(id=response_id, session_id=session_id, output=[])

    def reset(self) -> None:
        """Begins another response."""
        self.response = AgentResponse(session_id=self.session_id, output=[])

    def get_response_data(self) -> AgentResponse:
        """The response."""
        return self.response

    def created(self) -> AgentResponse:
        """Sets the status ``created``."""
        return self.response.created()

    def in_progress(self) -> AgentResponse:
        """Sets the status ``in_progress``."""
        return self.response.in_progress()

    def completed(self) -> AgentResponse:
        """Sets the status ``completed``."""
        return self.response.completed()

    def create_message_builder(
        self, role: str = Role.ASSISTANT, message_type: str = "message"
    ) -> MessageBuilder:
        """Opens the next message."""
        return MessageBuilder(self, role, message_type)

    def add_message(self, message: Message) -> None:
        """Adds a message to the output."""
        self.response.add_new_message(message)

    def update_message(self, message: Message) -> None:
        """Replaces the message with the same id."""
        output = self.response.output or []
        self.response.output = [message if known.id == message.id else known for known in output]

    def generate_streaming_response(
        self, text_tokens: List[str], role: str = Role.ASSISTANT
    ) -> Iterator[Event]:
        """All events of a response with one text."""
        self.reset()
        yield self.created()
        yield self.in_progress()
        message = self.create_message_builder(role)
        yield message.get_message_data()
        content = message.create_content_builder()
        for token in text_tokens:
            yield content.add_text_delta(token)
        yield content.complete()
        yield message.complete()
        yield self.completed()


StreamingResponseBuilder = ResponseBuilder
