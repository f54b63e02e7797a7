"""The official Python SDK against the server of the conformance suite, over HTTP and over a pipe."""

import asyncio
import sys
import warnings
from contextlib import AsyncExitStack

import mcp
from mcp import types
from mcp.client.stdio import StdioServerParameters, stdio_client


async def answer(_context, params):
    """The user's answer to a question of an agent."""
    answers = {"What is your name?": {"name": "Ann"}, "Please confirm": {"ok": True}}
    return types.ElicitResult(action="accept", content=answers[params.message])


async def use(client, call, tools):
    """What both generations of the SDK have."""
    names = [tool.name for tool in tools.tools]
    assert "test_simple_text" in names, names
    said = await call("test_simple_text", {})
    assert said.content[0].text == "This is a simple text response for testing.", said
    mixed = await call("test_multiple_content_types", {})
    assert [block.type for block in mixed.content] == ["text", "image", "resource"], mixed
    failed = await call("test_error_handling", {})
    assert "intentionally returns an error" in failed.content[0].text, failed
    told = []

    async def progress(progress, total, message):
        told.append((progress, message))

    await call("test_tool_with_progress", {}, progress_callback=progress)
    assert len(told) >= 3 and told == sorted(told), told
    prompt = await client.get_prompt("test_prompt_with_arguments", {"arg1": "a", "arg2": "b"})
    assert "arg1='a'" in prompt.messages[0].content.text, prompt
    asked = await call("test_input_required_result_elicitation", {})
    assert '"name":"Ann"' in asked.content[0].text, asked
    many = await asyncio.gather(*(call("test_simple_text", {}) for _ in range(20)))
    assert all(said.content[0].text.startswith("This is a simple") for said in many)


async def second_generation(url, mode):
    async with mcp.Client(url, mode=mode, elicitation_callback=answer) as client:
        expected = "2025-11-25" if mode == "legacy" else "2026-07-28"
        assert client.protocol_version == expected, client.protocol_version
        await use(client, client.call_tool, await client.list_tools())
        text = await client.read_resource("test://static-text")
        assert text.contents[0].text.startswith("This is the content"), text
        values = await client.complete(
            types.PromptReference(name="test_prompt_with_arguments"), {"name": "arg1", "value": "par"}
        )
        assert values.completion.values == ["paris", "park", "party"], values
        if mode == "auto":
            rounds = await client.call_tool("test_input_required_result_request_state", {})
            assert "state-ok" in rounds.content[0].text, rounds


async def first_generation(url):
    from mcp.client.streamable_http import streamablehttp_client

    async with AsyncExitStack() as stack:
        read, write, _ = await stack.enter_async_context(streamablehttp_client(url))
        session = mcp.ClientSession(read, write, elicitation_callback=answer)
        client = await stack.enter_async_context(session)
        begun = await client.initialize()
        assert begun.protocolVersion == "2025-11-25", begun
        await use(client, client.call_tool, await client.list_tools())


async def piped(binary):
    parameters = StdioServerParameters(command=binary, args=["mcp", "--agent", "echo"])
    async with AsyncExitStack() as stack:
        if hasattr(mcp, "Client"):
            client = await stack.enter_async_context(mcp.Client(stdio_client(parameters)))
        else:
            read, write = await stack.enter_async_context(stdio_client(parameters))
            client = await stack.enter_async_context(mcp.ClientSession(read, write))
            await client.initialize()
        said = await client.call_tool("echo", {"message": "hi"})
        assert said.content[0].text == "hi", said
        wrong = await client.call_tool("echo", {"mesage": "hi"})
        assert "mesage" in wrong.content[0].text, wrong


async def main():
    url, mode, binary = sys.argv[1:]
    if hasattr(mcp, "Client"):
        await second_generation(url, mode)
    else:
        await first_generation(url)
    await piped(binary)
    print("done")


warnings.simplefilter("ignore")
asyncio.run(main())
