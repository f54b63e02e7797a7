"""Executes scripts of agentscope-runtime ("upstream"), 1.0.x and 1.1.x, without that package.

In a worker, the names ``agentscope_runtime.…`` stand for the modules of this package.
"""

from ._find import find
from ._hook import install

__all__ = ["find", "install"]
