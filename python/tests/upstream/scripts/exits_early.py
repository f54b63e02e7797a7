# A program that needs an argument.
import sys

from agentscope_runtime.engine import AgentApp  # noqa: F401

if len(sys.argv) < 2:
    sys.exit("usage: app.py NAME")
