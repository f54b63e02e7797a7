# 1.0.x: an app that has endpoints and a task, and no query function.
from typing import List

from fastapi import Request
from pydantic import BaseModel

from agentscope_runtime.engine import AgentApp


class Messages(BaseModel):
    role: str
    content: str


def run_app():
    app = AgentApp()

    @app.endpoint("/with_query")
    def with_query(first: int, second: str):
        yield f"{first} {second}"

    @app.endpoint("/with_request")
    async def with_request(request: Request):
        yield request.query_params["foo"]

    @app.endpoint("/with_messages")
    async def with_messages(messages: List[Messages]):
        for message in messages:
            yield message

    @app.task("/task", queue="celery1")
    def task(request: dict):
        return [request]

    app.run(host="127.0.0.1", port=8090)
    return app


if __name__ == "__main__":
    made = run_app()
