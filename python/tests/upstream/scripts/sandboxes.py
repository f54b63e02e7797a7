# A part of upstream that does not exist here.
from agentscope_runtime.sandbox import BaseSandbox  # noqa: F401
