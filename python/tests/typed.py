"""A user of everything that the package offers, for type checkers."""

from __future__ import annotations

import asyncio
from typing import Any, AsyncIterator, Iterator

import agent_server
from agent_server import (
    Agent,
    AgentError,
    Approval,
    Message,
    Run,
    StepCutOff,
    StepFailed,
    Suspended,
    Tool,
    ToolCall,
    ToolError,
    agent,
    mount,
    serve,
    text_of,
)
from agent_server.testing import Answer, Said, ask, ask_async


async def application(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 204})
    await send({"type": "http.response.body"})


mount(application)


@agent
async def pieces(run: Run) -> AsyncIterator[str]:
    yield run.text


@agent(name="whole", recovery="start_over")
async def answers(run: Run) -> str:
    return run.text


@agent(recovery="continue")
async def writes(run: Run) -> None:
    await run.say(run.text)


@agent
def in_a_thread(run: Run) -> str | None:
    return run.text or None


@agent
def pieces_in_a_thread(run: Run) -> Iterator[str]:
    yield from run.text.split()


@agent
async def uses_it_all(run: Run) -> None:
    who: tuple[str, str, str, str] = (run.id, run.agent_name, run.user_id, run.session_id)
    asked: tuple[dict[str, str], str] = (run.headers, run.query)
    given: list[dict[str, Any]] = [run.request, *run.input, *run.earlier, *await run.steered()]
    turns: list[dict[str, Any]] = await run.history(limit=5)
    texts: list[str] = [text_of(message) for message in turns]
    async with run.reasoning() as reasoning:
        await reasoning.text(f"{who} {asked} {given} {texts}")
    call: ToolCall
    async with run.tool_call("add", "call_1", by_client=False) as call:
        await call.text("{}")
    await run.tool_output("add", "call_1", {"sum": 3})
    message: Message
    async with run.message(kind="message", role="assistant") as message:
        await message.text("hello")
        await message.data({"a": 1})
        await message.put({"type": "image", "image_url": "https://example.com/1.png"})
        message.set_usage({"total_tokens": 1})
        message.set_metadata({"source": "test"})
    await run.emit({"object": "own"})
    state: dict[str, int] = await run.load_state() or {}
    await run.save_state(state)
    await run.remember("one", "two")
    memories: list[str] = await run.recall("one", limit=1)
    response: dict[str, Any] = await run.child("whole", memories[0])
    if response["status"] != "completed":
        raise AgentError("The other agent has failed", "CHILD_FAILED", 502)


async def awaited_step() -> int:
    return 3


@agent
async def asks_the_user(run: Run) -> str:
    awaited: int = await run.step("awaited", awaited_step)
    try:
        called: str = await run.step("called", lambda: "x", effect="once")
    except StepCutOff:
        called = "cut off"
    except StepFailed as error:
        called = str(error)
    approval: Approval = await run.approve("may_i", "May I?", tool="charge", arguments={"price": awaited})
    approved: tuple[bool, str] = (approval.approved, approval.text)
    try:
        name: str = await run.ask("name", "Who are you?")
    except Suspended:
        raise
    attempt: int = run.attempt
    return f"{called} {approved} {name} {attempt}"


@agent
async def uses_tools(run: Run) -> str:
    tools: list[Tool] = await run.tools()
    about: list[tuple[str, str, str | None, bool]] = [(t.name, t.description, t.server, t.needs_approval) for t in tools]
    parameters: list[dict[str, Any]] = [tool.parameters for tool in tools]
    try:
        output: Any = await run.call_tool("add", {"a": 1, "b": 2}, key="sum")
    except ToolError as error:
        output = str(error)
    return f"{about} {parameters} {output}"


def checks() -> tuple[str, int]:
    answer: Answer = ask(uses_it_all, "hi", memories=["one"], children=lambda agent, text: f"{agent}: {text}")
    said: Said = answer.messages[0]
    about_it: tuple[str, str, str | None, str | None, bool] = (said.kind, said.text, said.name, said.output, said.is_closed)
    of_call: str | None = said.call_id
    contents: list[dict[str, Any]] = [said.data, said.usage or {}, *said.contents, *answer.events]
    text: str = answer.text
    state: Any = answer.state
    memories: list[str] = answer.memories
    other: Answer = asyncio.run(ask_async(answers, "hi", history=[], state={}))
    asking: Answer = ask(asks_the_user, steps={"awaited": 4}, answers={"may_i": "yes"})
    asked: tuple[str | None, dict[str, Any]] = (asking.asked, asking.steps)
    using: Answer = ask(uses_tools, tools={"add": lambda a, b: a + b})
    error = AgentError("no", status=400)
    described = Agent("answers", answers, "give_up")
    about_agent: tuple[str, str] = (described.name, described.recovery)
    others: tuple[Any, ...] = (text, state, memories, other, asked, using.text)
    return f"{about_it} {contents} {others} {described.handler} {about_agent}", error.status


def code_of(error: AgentError) -> str:
    version: str = agent_server.__version__
    return f"{error.code} in {version}"


if __name__ == "__main__":
    serve("--port", "8081")
