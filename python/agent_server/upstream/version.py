"""The newest version of agentscope-runtime whose scripts this package executes."""

__all__ = ["__version__"]

__version__ = "1.1.5"
