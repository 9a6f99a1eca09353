"""Providers for the real engine to talk to: each answers as its cloud would, and remembers what was asked of it."""

from tests.engine.doubles.cloud import Cloud

__all__ = ["Cloud"]
