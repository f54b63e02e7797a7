"""Holds what a server answers to its own /openapi.json: openapi.py ADDRESS ROUTES ROUND."""

import sys

import schemathesis
from schemathesis.cli import schemathesis as command

# Schemas nest, and so does what is generated from them.
sys.setrecursionlimit(20_000)

# What a schema cannot say is refused, too: an id of nothing, members that exclude each other, operations that no agent
# has, a GET that opens no WebSocket. And there is nobody to be authorized.
SKIPPED = ["positive_data_acceptance", "ignored_auth", "object_level_authorization"]
# The routes of agentscope-runtime take numbers and booleans as it does: also as strings, and as each other.
LENIENT = [*SKIPPED, "negative_data_rejection"]

ROUTES = {
    "responses": ("^/(compatible-mode/)?v1/responses", SKIPPED),
    "others_of_openai": ("^/v1/(?!responses)", SKIPPED),
    "own": ("^/(?!(compatible-mode/)?v1/)", LENIENT),
}


@schemathesis.hook
def before_load_schema(context, document):
    """OpenAPI 3.1 has no word for the events of a stream, and the document one of its own; here it becomes that of 3.2."""
    for path in document["paths"].values():
        operations = [operation for operation in path.values() if isinstance(operation, dict)]
        for answer in [answer for operation in operations for answer in operation["responses"].values()]:
            stream = answer.get("content", {}).get("text/event-stream")
            if stream is not None:
                event = {"contentMediaType": "application/json", "contentSchema": stream["x-event-schema"]}
                stream.pop("schema", None)
                data = {"anyOf": [{"const": "[DONE]"}, event]}
                stream["itemSchema"] = {"type": "object", "properties": {"data": data}, "required": ["data"]}


address, routes, round_number = sys.argv[1:]
paths, skipped = ROUTES[routes]
# The first two phases do the same in each round.
phases = "examples,coverage,fuzzing,stateful" if round_number == "0" else "fuzzing,stateful"
command([
    "--no-color", "run", f"{address}/openapi.json", "--include-path-regex", paths, "--phases", phases,
    "--checks", "all", "--exclude-checks", ",".join(skipped), "--seed", round_number, "--max-examples", "10",
    "--continue-on-failure", "--no-shrink", "--generation-database", "none", "--warnings", "off",
])
