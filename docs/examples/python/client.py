"""Asks an agent, prints the answer as it arrives, and checks that the events match the final response.

    python client.py http://127.0.0.1:8080 "What is 6 times 7?"

Exit status: 0 if the run completed; 1 if its stream was cut off or is inconsistent; 2 if the command line is invalid;
3 if the server cannot be reached or rejects the request, or if the run did not complete.
"""

import http.client
import json
import os
import sys
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any, TypeVar, get_args

from pydantic import ValidationError

from models import (
    AgentRequest, AgentResponse, AudioContent, DataContent, Event, FileContent, FunctionCall, FunctionCallOutput,
    ImageContent, Message, MessageInput, RefusalContent, TextContent, TextContentInput, VideoContent,
)

Content = TextContent | ImageContent | DataContent | AudioContent | FileContent | RefusalContent | VideoContent
CONTENT_TYPES = {get_args(kind.model_fields["type"].annotation)[0] for kind in get_args(Content)}
FINAL = {"completed", "failed", "canceled", "rejected", "incomplete"}
# An idle server sends a comment every 15 seconds, so a longer silence means that it is gone.
SILENCE_SECONDS = 60
T = TypeVar("T")


def ask(server: str, question: str) -> Iterator[AgentResponse | Message | Content]:
    """Sends the question and yields the events of the run."""
    content = TextContentInput(type="text", text=question)
    request = AgentRequest(input=[MessageInput(role="user", content=[content])])
    # Send only the fields that were set: the server has defaults, and not every field may be null.
    body = request.model_dump_json(exclude_unset=True).encode()
    post = urllib.request.Request(server.rstrip("/") + "/process", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(post, timeout=SILENCE_SECONDS) as stream:
        for data in sse_data(stream):
            if (event := parse(json.loads(data))) is not None:
                yield event


def sse_data(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The data of each server-sent event. An event cut off by the end of the stream is dropped, as the standard requires."""
    data: list[bytes] = []
    # Lines are split as bytes at `\n`. `str.splitlines` would also split at U+2028 and others inside a text.
    for line in lines:
        line = line.rstrip(b"\r\n")
        if line.startswith(b"data:"):
            data.append(line.removeprefix(b"data:").removeprefix(b" "))
        elif not line and data:
            yield b"\n".join(data)
            data = []
        # Every other line is a comment or a field such as `id:`, which is only needed to resume a stream.


def parse(event: dict[str, Any]) -> AgentResponse | Message | Content | None:
    """The event as its generated model; None if its kind is unknown: a newer server may have more kinds."""
    match event.get("object"):
        case "response":
            messages = event.get("output") or []
        case "message":
            messages = [event]
        case "content" if event.get("type") in CONTENT_TYPES:
            messages = []
        case _:
            return None
    # Unknown contents inside messages are left out too. The models would reject the whole event because of one.
    for message in messages:
        if contents := message.get("content"):
            message["content"] = [part for part in contents if part.get("type") in CONTENT_TYPES] or None
    try:
        return Event.model_validate(event).root
    except ValidationError as error:
        # The error lists every kind of event that this might have been. The event itself is more helpful.
        raise ValueError(f"an event does not match the schema: {json.dumps(event)[:300]}") from error


def merge(value: Any, more: Any) -> Any:
    """Continues a JSON value: strings and lists are joined, numbers added, objects merged, other values replaced."""
    match value, more:
        case dict(), dict():
            return value | {key: merge(value[key], more[key]) if key in value else more[key] for key in more}
        case (str(), str()) | (list(), list()):
            return value + more
        case (int() | float(), int() | float()) if not isinstance(value, bool) and not isinstance(more, bool):
            return value + more
    return more


def grow(value: T | None, more: T | None) -> T | None:
    return value if more is None else more if value is None else merge(value, more)


def append(content: Content, delta: Content) -> None:
    """Appends a delta to a content. Images, audio and files have no parts worth showing."""
    match content, delta:
        case TextContent(), TextContent():
            content.text = grow(content.text, delta.text)
        case RefusalContent(), RefusalContent():
            content.refusal = grow(content.refusal, delta.refusal)
        case DataContent(), DataContent():
            content.data = grow(content.data, delta.data)


class Rebuilt:
    """The output of a run, rebuilt from its events. This is what a program that shows the run would keep."""

    def __init__(self) -> None:
        self.output: list[Message] = []
        self.contents: dict[str | None, dict[int | None, Content]] = defaultdict(dict)
        self.streamed: set[tuple[str | None, int | None]] = set()

    def take(self, event: Message | Content) -> bool:
        """Adds an event and returns whether it belongs to a streamed content."""
        if not isinstance(event, Message):
            return self.take_content(event, self.contents[event.msg_id])
        if event.status in FINAL:
            contents = self.contents.pop(event.id, {})
            event.content = [contents[index] for index in sorted(contents, key=lambda index: index or 0)] or None
            # Failed messages are not part of the output.
            if event.status != "failed":
                self.output.append(event)
        return False

    def take_content(self, event: Content, contents: dict[int | None, Content]) -> bool:
        place = (event.msg_id, event.index)
        content = contents.setdefault(event.index, event)
        if event.delta and isinstance(event, TextContent | RefusalContent | DataContent):
            if content is not event:
                append(content, event)
            self.streamed.add(place)
        elif place in self.streamed and event.status in FINAL and event.type == content.type:
            # The event that closes a content repeats the whole value. The sum of the deltas is kept anyway, so that the
            # comparison at the end detects a lost delta. The field has the name of the type.
            contents[event.index] = event.model_copy(update={event.type: getattr(content, event.type)})
        else:
            contents[event.index] = event
            self.streamed.discard(place)
        return place in self.streamed


def show(event: Message | Content, streamed: bool) -> None:
    """Prints text and refusals as they arrive, and tool calls once they are complete."""
    final = event.status in FINAL
    match event:
        case Message(type="function_call" | "plugin_call") if final:
            # The message's type determines the data of its contents.
            calls = (FunctionCall.model_validate(part.data) for part in parts_of(event))
            print("\n".join(f"[calls] {call.name} {call.arguments}" for call in calls))
        case Message(type="function_call_output" | "plugin_call_output") if final:
            answers = (FunctionCallOutput.model_validate(part.data) for part in parts_of(event))
            print("\n".join(f"[answer] {answer.output}" for answer in answers))
        case Message(type="reasoning") if not final:
            print("[thinks] ", end="")
        case Message() if final:
            print()
        case TextContent(text=str(text)) | RefusalContent(refusal=str(text)):
            # Text that was not streamed arrives once, with the event that closes it.
            if event.delta or final and not streamed:
                print(text, end="", flush=True)
        case ImageContent() | VideoContent() | AudioContent() | FileContent() if final:
            print(f" [{event.type}]", end="")


def parts_of(message: Message) -> list[DataContent]:
    return [part for part in message.content or [] if isinstance(part, DataContent)]


def difference(ours: Any, theirs: Any, path: str = "output") -> str | None:
    """The first difference between the events and the final response; None if they agree."""
    match ours, theirs:
        case dict(), dict():
            found = (difference(ours.get(key), theirs.get(key), f"{path}.{key}") for key in ours | theirs)
            return next(filter(None, found), None)
        case list(), list():
            found = (difference(*pair, f"{path}[{at}]") for at, pair in enumerate(zip_longest(ours, theirs)))
            return next(filter(None, found), None)
        case str(), str():
            start = max(len(os.path.commonprefix([ours, theirs])) - 20, 0)
            excerpts = ours[start:], theirs[start:]
        case _:
            excerpts = ours, theirs
    shown = [json.dumps(value, ensure_ascii=False)[:100] for value in excerpts]
    return None if ours == theirs else f"{path}: the events have {shown[0]}, the final response has {shown[1]}"


def fail(status: int, why: str) -> int:
    print(f"\n{why}", file=sys.stderr)
    return status


def run(server: str, question: str) -> int:
    rebuilt, final, count = Rebuilt(), None, 0
    for event in ask(server, question):
        count += 1
        if not isinstance(event, AgentResponse):
            show(event, rebuilt.take(event))
        elif event.status in FINAL:
            final = event
            break
    if final is None:
        return fail(1, "The stream ended before the final response.")
    ours = [message.model_dump() for message in rebuilt.output]
    if found := difference(ours, [message.model_dump() for message in final.output or []]):
        return fail(1, f"The events do not match the final response. {found}")
    if final.status != "completed":
        why = f"{final.error.code}: {final.error.message}" if final.error else ""
        return fail(3, f"The run is {final.status}. {why}")
    print(f"\n{count} events match the final response.")
    return 0


def main() -> int:
    if len(sys.argv) != 3 or not sys.argv[1].startswith(("http://", "https://")):
        return fail(2, 'Usage: python client.py http://127.0.0.1:8080 "QUESTION"')
    try:
        return run(sys.argv[1], sys.argv[2])
    except urllib.error.HTTPError as error:
        return fail(3, f"The server returned {error.code}: {error.read().decode(errors='replace')}")
    except urllib.error.URLError as error:
        return fail(3, f"The server cannot be reached: {error.reason}")
    except (OSError, http.client.HTTPException, ValueError) as error:
        return fail(1, f"The stream broke: {error}")


if __name__ == "__main__":
    sys.exit(main())
