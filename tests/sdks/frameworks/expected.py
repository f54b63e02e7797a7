"""What every framework has to get from the scripted model behind the server."""

import openai
from pydantic import BaseModel

APIS = ["responses", "chat_completions"]


class Expected:
    TEXT = "You said: hello"
    OWN_TOOL = "The tools say: 42"
    CLIENT_TOOL = "The tools say: sunny in Rome"
    SECOND_TURN = "You said: again"


class Answer(BaseModel):
    answer: int


# What a question makes the model server answer, and the client's error for it.
ERRORS = {
    "fail 400": (openai.BadRequestError, "model_execution_failed"),
    "fail 401": (openai.InternalServerError, "model_unauthorized_access"),
    "fail 429": (openai.RateLimitError, "rate_limit_exceeded"),
    "fail 500": (openai.InternalServerError, "model_execution_failed"),
    "fail context": (openai.BadRequestError, "context_length_exceeded"),
}


def check(api, what, found, expected):
    assert found == expected, f"{api}, {what}: {found!r} instead of {expected!r}"
