"""Arguments and names of upstream beyond the usual ones."""

import asyncio
import importlib
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

from harness import ask_script, served
from openai.types.chat import ChatCompletionChunk

NAMES = Path(__file__).parents[3] / "tests/golden/classes/names.txt"
ADVICE = ("or install agentscope-runtime", "agent-server does not have agentscope-runtime's")

# What only upstream's own modules use.
UNUSED = [
    "agentscope_runtime.adapters.agentscope.message.FileBlock",
    "agentscope_runtime.adapters.agentscope.message.matches_typed_dict_structure",
    "agentscope_runtime.engine.deployers.adapter.agui.AGUIAdapterUtils",
    "agentscope_runtime.engine.deployers.adapter.agui.FlexibleRunAgentInput",
    "agentscope_runtime.engine.deployers.utils.service_utils.interrupt.InterruptMixin",
    "agentscope_runtime.engine.tracing.tracing_util.get_global_attributes",
    "agentscope_runtime.engine.tracing.wrapper.MineType",
]

SETTINGS = [
    "AgentApp ignores response_type, stream: clients choose by `stream` in their request",
    "AgentApp ignores broker_url, backend_url, enable_embedded_worker: the server executes tasks itself, without Celery",
    "AgentApp ignores a2a_config: the server has its own protocols, which need no adapters",
    "AgentApp ignores interrupt_backend, interrupt_redis_url: the server cancels runs itself, in whatever process they are",
    "AgentApp ignores mode: the app is in a worker process of the server, always",
    "AgentApp ignores an_own_setting: the server has no such setting of a script",
    "run_task_processor does nothing: the server executes tasks itself, without Celery",
    "run ignores web_ui: the server starts no page of upstream",
    "run ignores embed_task_processor: the server executes tasks itself, without Celery",
    "run ignores reload: the server has no such setting of a script",
]


class Options(unittest.TestCase):
    def test_setting__without_effect__is_explained_once(self) -> None:
        with self.assertLogs("agent_server.upstream", "WARNING") as logs:
            ask_script("settings")
        self.assertEqual([record.getMessage() for record in logs.records], SETTINGS)

    def test_setting__that_changes_nothing__is_not_mentioned(self) -> None:
        from agentscope_runtime.engine import AgentApp
        from agentscope_runtime.engine.deployers.utils.deployment_modes import DeploymentMode

        with self.assertNoLogs("agent_server.upstream"):
            AgentApp(
                app_name="x",
                endpoint_path="/process",
                response_type="sse",
                stream=True,
                broker_url=None,
                enable_embedded_worker=False,
                mode=DeploymentMode.DAEMON_THREAD,
                version="7",
            )

    def test_traced_functions__of_every_kind__get_an_event(self) -> None:
        _module, (answer,) = ask_script("traces", "Hi you", frameworks=None)
        self.assertEqual(answer.text, "3 HI YOU ['Hi', 'you'] ['a', 'b']")

    def test_converters__of_a_script__come_first(self) -> None:
        async def asked(session: str) -> list[dict[str, Any]]:
            content = [{"type": "data", "data": {"a": 1}}]
            request = {"input": [{"type": "a2ui_action", "role": "user", "content": content}], "session_id": session}
            async with served("converters", None) as script:
                events = [event async for event in script.module.app.runner.stream_query(request)]
            return [event.model_dump(mode="json") for event in events]

        done = asyncio.run(asked("good"))[-1]
        self.assertEqual([message["type"] for message in done["output"]], ["message", "a2ui_response"])
        self.assertEqual(done["output"][0]["content"][0]["text"], "hi converted a2ui_action")
        self.assertEqual((done["output"][1]["id"], done["output"][1]["content"][0]["data"]), ("msg_widget", {"x": 1}))
        failed = asyncio.run(asked("bad"))[-1]
        self.assertEqual((failed["status"], len(failed["output"])), ("failed", 1))
        self.assertRegex(failed["error"]["message"], r"TypeError: out_type_converters\['bad'\] returns no generator")


class Names(unittest.TestCase):
    def test_names__of_all_modules__exist_or_say_what_to_use(self) -> None:
        unknown = []
        for line in NAMES.read_text("utf-8").splitlines()[1:]:
            module, names = line.split(": ")
            for name in names.split():
                try:
                    getattr(importlib.import_module(module), name)
                except ImportError as error:
                    if not any(advice in str(error) for advice in ADVICE):
                        unknown.append(f"{module}.{name}: {error}")
                except AttributeError:
                    unknown.append(f"{module}.{name}")
        self.assertEqual(unknown, UNUSED)

    def test_stream__that_a_script_adapts__is_events(self) -> None:
        from agentscope_runtime.adapters.text.stream import adapt_text_stream

        async def texts() -> Any:
            for text in ("a", "b"):
                yield text

        async def adapted() -> list[Any]:
            return [event async for event in adapt_text_stream(texts())]

        events = asyncio.run(adapted())
        self.assertEqual([event.object for event in events], ["message", "content", "content", "content", "message"])
        self.assertEqual(events[-1].content[0].text, "ab")

    def test_functions__of_traces__merge_and_number(self) -> None:
        from agentscope_runtime.engine.schemas.agent_schemas import AgentResponse, Message
        from agentscope_runtime.engine.tracing import message_util
        from agentscope_runtime.engine.tracing.asyncio_util import aenumerate

        def chunk(text: Any, reason: Any = None) -> Any:
            choice = {"index": 0, "delta": {"content": text}, "finish_reason": reason}
            whole = {"id": "x", "choices": [choice], "created": 1, "model": "m", "object": "chat.completion.chunk"}
            return ChatCompletionChunk.model_validate(whole)

        async def numbered() -> list[Any]:
            async def texts() -> Any:
                yield "a"

            return [pair async for pair in aenumerate(texts(), 1)]

        merged = message_util.merge_incremental_chunk([chunk("a"), chunk("b"), chunk(None, "stop")])
        self.assertEqual((merged.choices[0].delta.content, message_util.get_finish_reason(merged)), ("ab", "stop"))
        message = Message(role="assistant", content=[]).completed()
        response = message_util.merge_agent_response([message])
        self.assertEqual((response.output, message_util.get_agent_response_finish_reason(response)), ([message], "stop"))
        self.assertEqual(message_util.merge_agent_message([AgentResponse(), message]), message)
        self.assertEqual(asyncio.run(numbered()), [(1, "a")])


class Original(unittest.TestCase):
    def test_part__that_only_the_original_has__is_taken_from_it(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            sandbox = Path(folder) / "agentscope_runtime/sandbox"
            sandbox.mkdir(parents=True)
            (Path(folder) / "agentscope_runtime/__init__.py").write_text("raise RuntimeError('not used')")
            (sandbox / "__init__.py").write_text("class BaseSandbox: pass")
            known = {name for name in sys.modules if name.startswith("agentscope_runtime")}
            kept = {name: sys.modules.pop(name) for name in known}
            sys.path.insert(0, folder)
            try:
                found = importlib.import_module("agentscope_runtime.sandbox").BaseSandbox
                runner = importlib.import_module("agentscope_runtime.engine").Runner
            finally:
                sys.path.remove(folder)
                for name in [name for name in sys.modules if name.startswith("agentscope_runtime")]:
                    del sys.modules[name]
                sys.modules.update(kept)
        self.assertEqual(found.__module__, "agentscope_runtime.sandbox")
        self.assertTrue(runner.__module__.startswith("agent_server.upstream"))

    def test_part__that_does_not_exist_here__says_what_to_use(self) -> None:
        for name, sentence in (
            ("engine.services.sandbox", "has no sandboxes"),
            ("adapters.langgraph.tool", "has no sandboxes"),
            ("tools.searches", "those of the agent's framework"),
            ("engine.deployers.state", "keeps no records of deployments"),
            ("engine.deployers.pai_deployer", "deploys nothing to a cloud"),
            ("engine.services.memory.mem0_memory_service", "InMemoryMemoryService"),
            ("engine.services.environment_manager", "has no such part"),
        ):
            with self.subTest(name), self.assertRaisesRegex(ModuleNotFoundError, f"{sentence}.* or install agentscope-runtime"):
                importlib.import_module(f"agentscope_runtime.{name}")


if __name__ == "__main__":
    unittest.main()
