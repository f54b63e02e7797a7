"""A client of ``/process``."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import Any, AsyncIterator, Dict, Iterator, Optional, Tuple

from .schemas import AgentRequest, Event, Message, Role, RunStatus, TextContent

__all__ = [
    "AgentAPIClientBase",
    "HTTPAgentAPIClient",
    "create_simple_text_request",
    "extract_text_from_event",
    "parse_event_from_json",
    "parse_sse_line",
    "parse_sse_line_bytes",
]


class AgentAPIClientBase(ABC):
    """Sends requests, and yields the events of the response."""

    @abstractmethod
    def stream(self, request: AgentRequest) -> Iterator[Event]:
        """The events of the response, for code that is not asynchronous."""

    @abstractmethod
    def astream(self, request: AgentRequest) -> AsyncIterator[Event]:
        """The events of the response."""


def parse_sse_line_bytes(line: bytes) -> Tuple[Optional[str], Optional[str]]:
    """Like ``parse_sse_line``."""
    return parse_sse_line(line.decode("utf-8", "replace"))


def parse_sse_line(line: str) -> Tuple[Optional[str], Optional[str]]:
    """The field and the value of a line; nothing for an empty line, a comment, or an unknown field."""
    name, _colon, value = line.strip().partition(":")
    if name not in ("data", "event", "id", "retry") or not value.strip():
        return None, None
    return name, value[1:] if value.startswith(" ") else value


def parse_event_from_json(data: Dict[str, Any]) -> Optional[Event]:
    """The event for a line's data; nothing if it is none."""
    from ._stream import event_of

    if "object" not in data:
        return None
    try:
        return event_of(data)
    except ValueError:
        return None


def extract_text_from_event(event: Event) -> Optional[str]:
    """The text of a text content, or of a message that is complete."""
    if isinstance(event, TextContent):
        return event.text
    if isinstance(event, Message) and event.status == RunStatus.Completed:
        texts = [content.text or "" for content in event.content or [] if isinstance(content, TextContent)]
        return "".join(texts) or None
    return None


def create_simple_text_request(query: str, session_id: Optional[str] = None, **kwargs: Any) -> AgentRequest:
    """A request with one text of the user."""
    message = Message(role=Role.USER, content=[TextContent(text=query)])  # type: ignore[arg-type]
    return AgentRequest(input=[message], session_id=session_id or None, **kwargs)


class HTTPAgentAPIClient(AgentAPIClientBase):
    """Sends requests over HTTP. Needs httpx."""

    def __init__(
        self,
        endpoint: str,
        token: Optional[str] = None,
        timeout: float = 300.0,
        headers: Optional[Dict[str, str]] = None,
    ) -> None:
        self.endpoint, self.token, self.timeout, self.headers = endpoint, token, timeout, headers or {}

    def _prepare_headers(self) -> Dict[str, str]:
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream", "Cache-Control": "no-cache"}
        token = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return {**headers, **self.headers, **token}

    def _call(self, request: AgentRequest) -> Dict[str, Any]:
        body = request.model_dump(exclude_none=True)
        return {"method": "POST", "url": self.endpoint, "json": body, "headers": self._prepare_headers()}

    def stream(self, request: AgentRequest) -> Iterator[Event]:
        """The events of the response, for code that is not asynchronous."""
        import httpx

        with httpx.Client(timeout=self.timeout) as client, client.stream(**self._call(request)) as response:
            response.raise_for_status()
            for line in response.iter_lines():
                if event := _event_of_line(line):
                    yield event

    async def astream(self, request: AgentRequest) -> AsyncIterator[Event]:
        """The events of the response."""
        import httpx

        async with httpx.AsyncClient(timeout=self.timeout) as client:
            async with client.stream(**self._call(request)) as response:
                response.raise_for_status()
                async for line in response.aiter_lines():
                    if event := _event_of_line(line):
                        yield event


def _event_of_line(line: str) -> Optional[Event]:
    field, value = parse_sse_line(line)
    if field != "data" or value is None:
        return None
    try:
        data = json.loads(value)
    except ValueError:
        return None
    return parse_event_from_json(data) if isinstance(data, dict) else None
