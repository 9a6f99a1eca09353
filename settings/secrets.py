"""Settings of Airflow's keys: which generation is used, which others are accepted."""

from typing import Literal

from pydantic import Field

from settings.section import Section


class GenerationSettings(Section):
    """Generations of a key that is replaced while pods run: those from oldest to newest are accepted."""

    generation: int = Field(default=1, ge=1, le=1000)
    """The one that encrypts or signs. Raise it to rotate."""

    oldest: int = Field(default=1, ge=1, le=1000)
    """Oldest one still accepted. Raise it to drop those before; a dropped one stays in the state and can be taken back."""

    newest: int | None = Field(default=None, ge=1, le=1000, examples=[2])
    """Newest one accepted, none means generation. Raised an up before it, so that no pod meets a key it does not know."""


class ApiKeySettings(Section):
    """The key of sessions of the web interface, which has no second one."""

    generation: int = Field(default=1, ge=1, le=1000)
    """Raise it to rotate: for as long as pods roll, logs that they serve may not be shown."""


class SecretsSettings(Section):
    """Airflow's keys, made once and rotated by raising a number."""

    mirror: bool = False
    """Copies of all keys and passwords in Secrets Manager, on eks. Deleted ones can be restored for 30 days with protect."""

    source: Literal["state", "external"] = "state"
    """What makes Secrets. state: Pulumi. external: External Secrets Operator, which must be there, of the mirror."""

    fernet: GenerationSettings = GenerationSettings()
    """The key that connections, variables and triggers are encrypted with. A new generation also re-encrypts them."""

    jwt: GenerationSettings = GenerationSettings()
    """The key that signs tokens of tasks and users."""

    api: ApiKeySettings = ApiKeySettings()
    """The key of sessions, and of reading logs from pods."""
