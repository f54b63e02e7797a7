"""A graph of one node that writes words to the stream and keeps them in its state."""

from typing import TypedDict

from langgraph.config import get_stream_writer
from langgraph.graph import START, StateGraph
from words import words


class State(TypedDict):
    text: str
    said: str


async def say(state: State):
    write, said = get_stream_writer(), ""
    async for word in words(state["text"]):
        write(word)
        said += word
    return {"said": said}


builder = StateGraph(State)
builder.add_node("say", say)
builder.add_edge(START, "say")
graph = builder.compile()
