"""What a stack file says, validated before any resource exists."""

from settings.loading import PROJECT, SettingsError, load_settings, stack_configuration
from settings.model import Settings

__all__ = ["PROJECT", "Settings", "SettingsError", "load_settings", "stack_configuration"]
