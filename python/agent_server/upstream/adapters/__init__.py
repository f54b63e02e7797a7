"""Adapters of frameworks, for scripts."""
