"""Ways to talk to an agent: each is one conversation over one protocol, and gives answers in the same form."""

import json
import uuid
from dataclasses import dataclass, field

import httpx
import openai


class Clients:
    """Shared by all ways, because it takes long to make them."""

    def __init__(self, server):
        self.http = httpx.AsyncClient(base_url=server, timeout=None)
        self.openai = openai.AsyncOpenAI(base_url=f"{server}/v1", api_key="none", max_retries=0)


@dataclass
class Answer:
    status: str
    id: str = ""
    streamed: str = ""
    """The text as it arrived, piece by piece."""
    text: str = ""
    reasoning: str = ""
    calls: list = field(default_factory=list)
    """The names and arguments of calls."""
    outputs: list = field(default_factory=list)
    request: tuple | None = None
    """A request for approval: its id, the tool, and the arguments."""
    usage: tuple | None = None


class Process:
    """The server's own protocol, with a session."""

    shows_tools = True
    """Whether the client sees calls of the agent's own tools, and requests for approval."""
    resumes = True
    """Whether the agent continues with an approval, instead of beginning the turn again."""

    def __init__(self, clients, agent):
        self._client = clients.http
        self._options = {"model": agent, "session_id": uuid.uuid4().hex}

    async def ask(self, text, image=None, cancel=False):
        content = [{"type": "text", "text": text}]
        if image:
            content.append({"type": "image", "image_url": image})
        return await self._send({"role": "user", "content": content}, cancel)

    async def decide(self, asked, approve):
        data = {"approval_request_id": asked.request[0], "approve": approve}
        content = [{"type": "data", "data": data}]
        return await self._send({"type": "mcp_approval_response", "role": "user", "content": content}, False)

    async def _send(self, message, cancel):
        streamed = ""
        body = {**self._options, "input": [message]}
        async with self._client.stream("POST", "/process", json=body) as response:
            assert response.status_code == 200, await response.aread()
            async for line in response.aiter_lines():
                if not line.startswith("data:"):
                    continue
                event = json.loads(line[5:])
                if event["object"] == "content" and event.get("delta") and event["type"] == "text":
                    streamed += event["text"]
                    if cancel and event["text"] == "Waiting":
                        run = response.headers["x-run-id"]
                        assert (await self._client.post(f"/runs/{run}/cancel")).is_success
        return _of_run(event, streamed)


def _of_run(response, streamed):
    answer = Answer(response["status"], response["id"], streamed, usage=_counts(response.get("usage")))
    for message in response["output"] or []:
        for content in message["content"] or []:
            data = content.get("data") or {}
            match message["type"]:
                case "message":
                    answer.text += content.get("text") or ""
                case "reasoning":
                    answer.reasoning += content["text"]
                case "plugin_call":
                    answer.calls.append((data["name"], json.loads(data["arguments"])))
                case "plugin_call_output":
                    answer.outputs.append(data["output"])
                case "mcp_approval_request":
                    answer.request = (data["id"], data["name"], json.loads(data["arguments"]))
    return answer


def _counts(usage):
    return usage and (usage["input_tokens"], usage["output_tokens"])


class Responses:
    """The Responses API; each request continues the previous response."""

    shows_tools = True
    resumes = True

    def __init__(self, clients, agent):
        self._client = clients.openai
        self._agent, self._options = agent, {}

    async def ask(self, text, image=None, cancel=False):
        content = [{"type": "input_text", "text": text}]
        if image:
            content.append({"type": "input_image", "image_url": image, "detail": "auto"})
        return await self._send({"role": "user", "content": content}, cancel)

    async def decide(self, asked, approve):
        item = {"type": "mcp_approval_response", "approval_request_id": asked.request[0], "approve": approve}
        return await self._send(item, False)

    async def _send(self, item, cancel):
        streamed = ""
        stream = await self._client.responses.create(
            model=self._agent, input=[item], stream=True, background=cancel, **self._options
        )
        async for event in stream:
            if event.type == "response.output_text.delta":
                streamed += event.delta
                if cancel and event.delta == "Waiting":
                    response = await self._client.responses.cancel(response_id)
                    assert response.status == "cancelled", response
            elif event.type == "response.created":
                response_id = event.response.id
        self._continue(event.response)
        return _of_response(event.response, streamed)

    def _continue(self, response):
        # A response that has failed says nothing of the agent's that could be continued.
        if response.status == "completed":
            self._options = {"previous_response_id": response.id}


class Conversation(Responses):
    """The Responses API with a conversation."""

    async def _send(self, item, cancel):
        if not self._options:
            self._options = {"conversation": (await self._client.conversations.create()).id}
        return await super()._send(item, cancel)

    def _continue(self, response):
        pass


def _of_response(response, streamed):
    status = response.status.replace("cancelled", "canceled")
    answer = Answer(status, response.id, streamed, response.output_text)
    answer.usage = response.usage and _counts(response.usage.to_dict())
    for item in response.output:
        if item.type == "reasoning":
            answer.reasoning += "".join(part.text for part in item.content)
        elif item.type == "mcp_call":
            answer.calls.append((item.name, json.loads(item.arguments)))
            if item.output is not None:
                answer.outputs.append(item.output)
        elif item.type == "mcp_approval_request":
            answer.request = (item.id, item.name, json.loads(item.arguments))
    return answer


class ChatCompletions:
    """Chat Completions; each request has the whole conversation."""

    shows_tools = False
    resumes = False

    def __init__(self, clients, agent):
        self._http, self._client = clients.http, clients.openai
        self._options = {"model": agent, "stream": True, "stream_options": {"include_usage": True}}
        self._messages = []

    async def ask(self, text, image=None, cancel=False):
        content = [{"type": "text", "text": text}]
        if image:
            content.append({"type": "image_url", "image_url": {"url": image}})
        self._messages.append({"role": "user", "content": content})
        return await self._send(cancel)

    async def decide(self, asked, approve):
        return await self.ask("yes" if approve else "no")

    async def _send(self, cancel):
        answer = Answer("completed")
        stream = await self._client.chat.completions.create(messages=self._messages, **self._options)
        try:
            async for chunk in stream:
                answer.usage = chunk.usage and (chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
                for delta in (choice.delta for choice in chunk.choices):
                    answer.streamed += delta.content or ""
                    answer.reasoning += getattr(delta, "reasoning_content", None) or ""
                if cancel and answer.streamed.endswith("Waiting"):
                    await stream.close()
                    return await self._ended(chunk.id.replace("chatcmpl-", "run_"))
        except openai.APIError as error:
            assert "boom" not in str(error), "the text of an exception is for the log"
            answer.status = "failed"
        answer.text = answer.streamed
        self._sent(answer.text)
        return answer

    def _sent(self, text):
        self._messages.append({"role": "assistant", "content": text})

    async def _ended(self, run):
        """A run whose client has gone."""
        async with self._http.stream("GET", f"/runs/{run}/events") as response:
            events = [line async for line in response.aiter_lines() if line.startswith("data:")]
        return _of_run(json.loads(events[-1][5:]), "Waiting")


class ChatCompletionsInSession(ChatCompletions):
    """Chat Completions with a session, which has the earlier messages."""

    resumes = True

    def __init__(self, clients, agent):
        super().__init__(clients, agent)
        self._options["extra_body"] = {"session_id": uuid.uuid4().hex}

    async def _send(self, cancel):
        answer = await super()._send(cancel)
        self._messages = []
        return answer

    def _sent(self, text):
        pass


WAYS = (Process, Responses, Conversation, ChatCompletions, ChatCompletionsInSession)
