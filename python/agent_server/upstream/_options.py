"""Arguments of upstream that mean nothing here, or something else: each is explained in the log."""

from __future__ import annotations

import logging
from typing import Any, Dict, Mapping

log = logging.getLogger("agent_server.upstream")

_DEFAULTS: Dict[str, Any] = {
    "mode": "daemon_thread",
    "response_type": "sse",
    "stream": True,
}
"""What upstream's arguments are, and what this server does anyway."""

_CELERY = "the server executes tasks itself, without Celery"
_INTERRUPTS = "the server cancels runs itself, in whatever process they are"
_PROTOCOLS = "the server has its own protocols, which need no adapters"
_QUIET = ("app", "entrypoint", "request_model", "runner")

_SENTENCES: Dict[str, str] = {
    "a2a_config": _PROTOCOLS,
    "agui_config": _PROTOCOLS,
    "backend_url": _CELERY,
    "broker_url": _CELERY,
    "embed_task_processor": _CELERY,
    "enable_embedded_worker": _CELERY,
    "interrupt_backend": _INTERRUPTS,
    "interrupt_redis_url": _INTERRUPTS,
    "mode": "the app is in a worker process of the server, always",
    "protocol_adapters": _PROTOCOLS,
    "response_type": "clients choose by `stream` in their request",
    "stream": "clients choose by `stream` in their request",
    "web_ui": "the server starts no page of upstream",
}


def explain(what: str, options: Mapping[str, Any]) -> None:
    """Says of each argument that is ignored what happens instead, once for those with the same reason."""
    reasons: Dict[str, list[str]] = {}
    for name, value in options.items():
        if value is None or value is False and name not in _DEFAULTS or name in _QUIET:
            continue
        if name in _DEFAULTS and str(getattr(value, "value", value)) == str(_DEFAULTS[name]):
            continue
        reasons.setdefault(_SENTENCES.get(name, "the server has no such setting of a script"), []).append(name)
    for reason, names in reasons.items():
        log.warning("%s ignores %s: %s", what, ", ".join(names), reason)
