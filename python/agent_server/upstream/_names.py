"""Which modules of agentscope-runtime this package stands for."""

from __future__ import annotations

ROOT = "agentscope_runtime"

MODULES: dict[str, tuple[str, ...]] = {
    "": ("version",),
    ".version": ("version",),
    ".adapters": (),
    ".adapters.agentscope": (),
    ".adapters.agentscope.long_term_memory": ("adapters.agentscope_long_term_memory",),
    ".adapters.agentscope.long_term_memory._long_term_memory_adapter": ("adapters.agentscope_long_term_memory",),
    ".adapters.agentscope.memory": ("adapters.agentscope_memory",),
    ".adapters.agentscope.memory._memory_adapter": ("adapters.agentscope_memory",),
    ".adapters.agentscope.message": ("adapters.agentscope_message",),
    ".adapters.agentscope.stream": ("adapters.streams",),
    ".adapters.agno": (),
    ".adapters.agno.message": ("adapters.agno_message",),
    ".adapters.agno.stream": ("adapters.streams",),
    ".adapters.langgraph": ("adapters.langgraph_message",),
    ".adapters.langgraph.message": ("adapters.langgraph_message",),
    ".adapters.langgraph.stream": ("adapters.streams",),
    ".adapters.ms_agent_framework": (),
    ".adapters.ms_agent_framework.message": ("adapters.ms_agent_framework_message",),
    ".adapters.ms_agent_framework.stream": ("adapters.streams",),
    ".adapters.text": (),
    ".adapters.text.stream": ("adapters.streams",),
    ".engine": ("app", "runner", "deploy"),
    ".engine.app": ("app",),
    ".engine.app.agent_app": ("app",),
    ".engine.app.celery_mixin": ("_celery",),
    ".engine.deployers": ("deploy",),
    ".engine.deployers.adapter": ("protocols",),
    ".engine.deployers.adapter.a2a": ("protocols",),
    ".engine.deployers.adapter.a2a.a2a_protocol_adapter": ("protocols",),
    ".engine.deployers.adapter.agui": ("protocols",),
    ".engine.deployers.adapter.protocol_adapter": ("protocols",),
    ".engine.deployers.adapter.responses": ("protocols",),
    ".engine.deployers.adapter.responses.response_api_protocol_adapter": ("protocols",),
    ".engine.deployers.base": ("deploy",),
    ".engine.deployers.local_deployer": ("deploy",),
    ".engine.deployers.utils": (),
    ".engine.deployers.utils.deployment_modes": ("deploy",),
    ".engine.deployers.utils.service_utils": (),
    ".engine.deployers.utils.service_utils.interrupt": ("interrupt",),
    ".engine.helpers": (),
    ".engine.helpers.agent_api_builder": ("builders",),
    ".engine.helpers.agent_api_client": ("client",),
    ".engine.helpers.runner": ("runners",),
    ".engine.runner": ("runner",),
    ".engine.schemas": (),
    ".engine.schemas.agent_schemas": ("schemas",),
    ".engine.schemas.exception": (
        "schemas.exceptions",
        "schemas.exceptions_of_applications",
        "schemas.exceptions_of_agents",
    ),
    ".engine.schemas.session": ("schemas.session",),
    ".engine.services": (),
    ".engine.services.agent_state": ("services.state", "services.redis_state"),
    ".engine.services.agent_state.redis_state_service": ("services.redis_state",),
    ".engine.services.agent_state.state_service": ("services.state",),
    ".engine.services.agent_state.state_service_factory": ("services.redis_state",),
    ".engine.services.base": ("services.base",),
    ".engine.services.memory": ("services.memory", "services.redis_memory"),
    ".engine.services.memory.memory_service": ("services.memory",),
    ".engine.services.memory.memory_service_factory": ("services.redis_memory",),
    ".engine.services.memory.redis_memory_service": ("services.redis_memory",),
    ".engine.services.service_factory": ("services.factory",),
    ".engine.services.session_history": ("services.session_history", "services.redis_session_history"),
    ".engine.services.session_history.redis_session_history_service": ("services.redis_session_history",),
    ".engine.services.session_history.session_history_service": ("services.session_history",),
    ".engine.services.session_history.session_history_service_factory": ("services.redis_session_history",),
    ".engine.tracing": ("tracing",),
    ".engine.tracing.asyncio_util": ("tracing_functions",),
    ".engine.tracing.base": ("tracing",),
    ".engine.tracing.message_util": ("tracing_functions",),
    ".engine.tracing.tracing_metric": ("tracing",),
    ".engine.tracing.tracing_util": ("tracing",),
    ".engine.tracing.wrapper": ("tracing",),
}
"""The names below the root, and the modules beside this one that have their contents."""

_ORIGINAL = "or install agentscope-runtime in the script's environment, whose own module is then used"
_SANDBOX = f"agent-server has no sandboxes: run such tools in a container of your own, {_ORIGINAL}"
_CLOUD = (
    "agent-server deploys nothing to a cloud: put `agent-server serve` and the script into a container image, "
    + _ORIGINAL
)
_MEMORY = (
    "agent-server has no client of this memory: use InMemoryMemoryService, whose memories the server keeps, "
    + _ORIGINAL
)
_HISTORY = (
    "agent-server has no client of this store: use InMemorySessionHistoryService, whose sessions the server keeps, "
    + _ORIGINAL
)
_SERVER = f"agent-server speaks this protocol itself, so the script needs no such class: remove the import, {_ORIGINAL}"
_TOOLS = f"agent-server has no ready-made tools: use those of the agent's framework, {_ORIGINAL}"
_SCHEMAS = f"agent-server has no classes of other protocols: use those of the `openai` package, {_ORIGINAL}"
_RECORDS = f"agent-server keeps no records of deployments: it is one process, which is stopped with a signal, {_ORIGINAL}"
_UNKNOWN = f"agent-server has no such part of agentscope-runtime: remove the import, {_ORIGINAL}"

INSTEAD: tuple[tuple[str, str], ...] = (
    (".sandbox", _SANDBOX),
    (".adapters.agentscope.tool", _SANDBOX),
    (".adapters.autogen.tool", _SANDBOX),
    (".adapters.langgraph.tool", _SANDBOX),
    (".tools", _TOOLS),
    (".common.tools", _TOOLS),
    (".engine.services.sandbox", _SANDBOX),
    (".engine.schemas", _SCHEMAS),
    (".engine.deployers.adapter", _SERVER),
    (".engine.deployers.state", _RECORDS),
    (".engine.deployers", _CLOUD),
    (".engine.services.memory", _MEMORY),
    (".engine.services.session_history", _HISTORY),
    ("", _UNKNOWN),
)
"""What to use instead of the modules below a name."""

ELSEWHERE: dict[str, str] = {
    "AgentRunDeployManager": ".engine.deployers.agentrun_deployer",
    "FCDeployManager": ".engine.deployers.fc_deployer",
    "K8sConfig": ".engine.deployers.kubernetes_deployer",
    "KnativeDeployManager": ".engine.deployers.knative_deployer",
    "KruiseDeployManager": ".engine.deployers.kruise_deployer",
    "KubernetesDeployManager": ".engine.deployers.kubernetes_deployer",
    "ModelstudioDeployManager": ".engine.deployers.modelstudio_deployer",
    "PAIDeployManager": ".engine.deployers.pai_deployer",
    "SandboxDeployManager": ".engine.deployers.sandbox_deployer",
    "LocalLogHandler": ".engine.tracing.local_logging_handler",
    "NacosRegistry": ".engine.deployers.adapter.a2a.nacos_a2a_registry",
    "Mem0MemoryService": ".engine.services.memory.mem0_memory_service",
    "ReMePersonalMemoryService": ".engine.services.memory.reme_personal_memory_service",
    "ReMeTaskMemoryService": ".engine.services.memory.reme_task_memory_service",
    "TablestoreMemoryService": ".engine.services.memory.tablestore_memory_service",
    "TablestoreSessionHistoryService": ".engine.services.session_history.tablestore_session_history_service",
}
"""Names that packages export, and that only the original has."""

_TRACES = "the server traces its runs itself: remove the import"

LACKING: dict[str, str] = {
    **dict.fromkeys(("BaseLogHandler", "Tracer", "TracerHandler", "create_handler", "get_tracer"), _TRACES),
    **dict.fromkeys(("FastAPIAppFactory", "FastAPITemplateManager"), "the app is a FastAPI itself: use it instead"),
    **dict.fromkeys(("A2ARegistry", "extract_a2a_config"), "the server speaks A2A itself: remove the import"),
    "ProcessManager": "the server starts and stops its workers itself: remove the import",
}
"""Names of the modules above that this package does not have."""


def instead_of(name: str) -> str:
    """What to use instead of a module, in one sentence."""
    below = name[len(ROOT) :]
    return next(text for prefix, text in INSTEAD if below == prefix or below.startswith(f"{prefix}."))
