"""A stack's resources as text, from Pulumi's mocks: no engine, no account, no cluster."""

from rendering.program import render_stack
from rendering.recorder import RecordedResource

__all__ = ["RecordedResource", "render_stack"]
