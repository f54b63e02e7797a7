"""A runner that does not say which framework's items it yields."""

from agentscope_runtime.engine.runner import Runner


class Unset(Runner):
    async def query_handler(self, *args, **kwargs):
        yield "Hi"
