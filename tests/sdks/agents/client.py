"""Agents of frameworks over every protocol, with OpenAI's client: client.py SERVER/AGENT…"""

import asyncio
import sys

from script import PIXEL, USAGE
from ways import WAYS, ChatCompletions, Clients

# What is impossible: the agent (None: every agent), the case, the ways (none: every way), and why.
CANNOT = (
    (None, "two_approvals", ["ChatCompletions"], "without a session, an approval counts only as the last message"),
    ("agentscope", "approval", (), "AgentScope 1.x has no approvals"),
    ("agentscope", "two_approvals", (), "AgentScope 1.x has no approvals"),
    ("autogen", "approval", (), "AutoGen's agents ask nobody before they call a tool"),
    ("autogen", "two_approvals", (), "AutoGen's agents ask nobody before they call a tool"),
)


async def text(way):
    answer = await way.ask("text")
    assert (answer.status, answer.text, answer.streamed) == ("completed", *["Hello world"] * 2), answer
    # Some models estimate it.
    assert answer.usage and min(answer.usage) > 0, answer


async def reasoning(way):
    answer = await way.ask("reason")
    assert (answer.reasoning, answer.text) == ("Let me think.", "Thought."), answer


async def two_rounds_of_tools(way):
    answer = await way.ask("tools")
    check_calls(answer, way)
    assert answer.text.strip().startswith("I search."), answer


async def tools_at_once(way):
    check_calls(await way.ask("parallel"), way)


def check_calls(answer, way):
    """The agent has searched for "one" and "two", and its model has seen both outputs."""
    assert answer.status == "completed", answer
    assert "The tools say: " in answer.text and "found one" in answer.text and "found two" in answer.text, answer
    if way.shows_tools:
        assert answer.calls == [("search", {"q": "one"}), ("search", {"q": "two"})], answer
        one, two = answer.outputs
        assert "found one" in one and "found two" in two, answer


async def images(way):
    answer = await way.ask("image", PIXEL)
    # Some frameworks encode it anew.
    assert answer.text.startswith("I see: data:image/png;base64,iVBOR") and " " not in answer.text[7:], answer


async def failure_in_the_middle(way):
    answer = await way.ask("fail")
    assert (answer.status, answer.streamed.strip()) == ("failed", "Before"), answer
    if way.shows_tools:
        assert answer.calls == [("search", {"q": "one"})] and "found one" in answer.outputs[0], answer
    assert (await way.ask("text")).text == "Hello world"


async def cancellation(way):
    answer = await way.ask("wait", cancel=True)
    assert (answer.status, answer.streamed) == ("canceled", "Waiting"), answer
    assert (await way.ask("text")).text == "Hello world"


async def approval(way):
    for approve in (True, False):
        asked = await way.ask("approve")
        check_question(asked, way, 7)
        answer = await way.decide(asked, approve)
        assert answer.status == "completed" and "The tools say: " in answer.text, answer
        assert ("paid 7" in answer.text) == approve, answer
        if asked.usage == USAGE and way.resumes:
            assert answer.usage == USAGE, f"the model was asked again, or its tokens were counted twice: {answer}"
        assert not way.shows_tools or len(answer.outputs) == 1, answer


async def two_approvals(way):
    for decisions in ((True, False), (False, True)):
        first = await way.ask("approve two")
        check_question(first, way, 1)
        second = await way.decide(first, decisions[0])
        check_question(second, way, 2)
        answer = await way.decide(second, decisions[1])
        assert "The tools say: " in answer.text, answer
        assert ("paid 1" in answer.text, "paid 2" in answer.text) == decisions, answer


def check_question(asked, way, amount):
    assert asked.status == "completed" and "pay" in asked.text and str(amount) in asked.text, asked
    if way.shows_tools:
        assert asked.request[1:] == ("pay", {"sum": amount}), asked


async def second_turn(way):
    await way.ask("parallel")
    answer = await way.ask("again")
    assert answer.text == "You said: parallel, again", answer


CASES = (
    text,
    reasoning,
    two_rounds_of_tools,
    tools_at_once,
    images,
    failure_in_the_middle,
    cancellation,
    approval,
    two_approvals,
    second_turn,
)


def is_possible(agent, case, kind):
    return not any(
        name in (None, agent) and of == case.__name__ and (not ways or kind.__name__ in ways)
        for name, of, ways, _ in CANNOT
    )


async def check(clients, agent, case, kind):
    try:
        await case(kind(clients, agent))
    except Exception as error:
        error.add_note(f"{agent}: {case.__name__} over {kind.__name__}")
        raise


async def main(addresses):
    clients = {server: Clients(server) for server, _ in addresses}
    checks = [
        check(clients[server], agent, case, kind)
        for server, agent in addresses
        for case in CASES
        for kind in WAYS
        if is_possible(agent, case, kind)
    ]
    failures = [failure for failure in await asyncio.gather(*checks, return_exceptions=True) if failure]
    if failures:
        raise ExceptionGroup(f"{len(failures)} of {len(checks)} checks failed", failures)
    for server, agent in addresses:
        # Each cancellation has reached its model.
        answer = await ChatCompletions(clients[server], agent).ask("count")
        assert answer.text == "1 in progress", answer


asyncio.run(main([address.rsplit("/", 1) for address in sys.argv[1:]]))
