"""An app of ADK, which finds it by this file's name."""

from google.adk.agents import BaseAgent
from google.adk.events import Event
from google.genai import types
from words import words


class Words(BaseAgent):
    async def _run_async_impl(self, ctx):
        said = ""
        async for word in words(ctx.user_content.parts[0].text):
            said += word
            yield self._event(ctx, word, is_partial=True)
        yield self._event(ctx, said, is_partial=None)

    def _event(self, ctx, text, is_partial):
        content = types.Content(role="model", parts=[types.Part(text=text)])
        return Event(author=self.name, invocation_id=ctx.invocation_id, partial=is_partial, content=content)


root_agent = Words(name="speaker")
