"""A stack's settings, read before Pulumi runs."""

from pathlib import Path

from rendering.program import as_engine_gives, stack_file
from settings import Settings, load_settings
from settings.loading import SettingsError
from stack.errors import SettingsProblemError
from stack.state import REPOSITORY


def settings_of(stack: str, repository: Path = REPOSITORY) -> Settings:
    """Return the settings of ``Pulumi.<stack>.yaml``. Raises SettingsProblemError."""
    if not (repository / f"Pulumi.{stack}.yaml").is_file():
        known = ", ".join(sorted(path.name.split(".")[1] for path in repository.glob("Pulumi.*.yaml")))
        raise SettingsProblemError(f"there is no stack {stack}: no Pulumi.{stack}.yaml", f"Name one of {known}: STACK=local")
    try:
        return load_settings(as_engine_gives(stack_file(stack)), stack=stack)
    except SettingsError as error:
        raise SettingsProblemError(str(error), f"Mend Pulumi.{stack}.yaml; docs/configuration.md has every key.") from error
