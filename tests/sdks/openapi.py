"""Checks a server's answers against its own /openapi.json: openapi.py ADDRESS ROUTES ROUND."""

import sys

import schemathesis
from schemathesis.cli import schemathesis as command

# Schemas nest, and so do the values generated from them.
sys.setrecursionlimit(20_000)

# The server also rejects what a schema cannot express: unknown ids, members that exclude each other, operations that no
# agent has, and a GET that opens no WebSocket. There is no authentication.
SKIPPED = ["positive_data_acceptance", "ignored_auth", "object_level_authorization"]
# The routes of agentscope-runtime accept numbers and booleans as it does: also as strings, and one for the other.
LENIENT = [*SKIPPED, "negative_data_rejection"]

ROUTES = {
    "responses": ("^/(compatible-mode/)?v1/responses", SKIPPED),
    "others_of_openai": ("^/v1/(?!responses)", SKIPPED),
    "own": ("^/(?!(compatible-mode/)?v1/)", LENIENT),
}


@schemathesis.hook
def before_load_schema(context, document):
    """OpenAPI 3.1 has no keyword for the events of a stream; this converts the document's own one to that of 3.2."""
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
# The first two phases are the same in each round.
phases = "examples,coverage,fuzzing,stateful" if round_number == "0" else "fuzzing,stateful"
command([
    "--no-color", "run", f"{address}/openapi.json", "--include-path-regex", paths, "--phases", phases,
    "--checks", "all", "--exclude-checks", ",".join(skipped), "--seed", round_number, "--max-examples", "10",
    "--continue-on-failure", "--no-shrink", "--generation-database", "none", "--warnings", "off",
])
