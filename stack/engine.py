"""Which Pulumi runs: the official one with its plugins, or the one ``make tools`` builds with doubles for them."""

import json
import os
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pulumi.automation import PulumiCommand

from doubles.live.provider import LiveKubernetesDouble
from doubles.provider import Ledger, ProviderDouble
from doubles.random import RandomDouble
from doubles.serving import served
from stack.errors import NoPulumiError
from stack.state import REPOSITORY, StateFolder

BUILT = REPOSITORY / ".tools" / "bin" / "pulumi"


@dataclass(frozen=True)
class Engine:
    """A Pulumi command."""

    command: Path
    official: bool
    """Whether it fetches provider plugins itself."""

    def automation(self) -> PulumiCommand:
        """Return the command as the Automation API takes it."""
        return PulumiCommand() if self.official else PulumiCommand(str(self.command.parent.parent))

    @property
    def sentence(self) -> str:
        if self.official:
            return f"{self.command}, with the official provider plugins"
        return "the Pulumi of `make tools`, with stand-ins for the provider plugins of Kubernetes and random"


def find(platform: str, *, path: str | None = None, built: Path = BUILT) -> Engine:
    """Return the Pulumi for a stack of ``platform``. Raises NoPulumiError.

    The official one comes with its language hosts beside it; one without them was built from source and has no plugins.
    """
    found = shutil.which("pulumi", path=path)
    if found and (Path(found).resolve().parent / "pulumi-language-python").exists():
        return Engine(Path(found), official=True)
    if platform != "kubernetes":
        raise NoPulumiError(
            f"the official Pulumi is not on PATH, and a stack on {platform} needs its provider plugins",
            "Install it: https://www.pulumi.com/docs/install/",
        )
    if not built.exists():
        raise NoPulumiError(
            "there is no Pulumi: neither the official one on PATH nor .tools/bin/pulumi",
            "Install it (https://www.pulumi.com/docs/install/), or build it once: make tools",
        )
    return Engine(built, official=False)


@contextmanager
def providers(engine: Engine) -> Generator[Mapping[str, str]]:
    """Yield the environment that leads Pulumi to its providers; the doubles serve until the block ends."""
    if engine.official:
        yield {}
        return
    with served(stand_ins()) as addresses:
        yield {"PULUMI_DEBUG_PROVIDERS": addresses}


def stand_ins() -> list[ProviderDouble]:
    """Return what a stack on a cluster that exists needs."""
    return [RandomDouble(Ledger(complete=False)), LiveKubernetesDouble()]


def logged_in(environment: Mapping[str, str] = os.environ, home: Path | None = None) -> bool:
    """Tell whether the person has a backend: by variable, or by ``pulumi login``."""
    if environment.get("PULUMI_BACKEND_URL") or environment.get("PULUMI_ACCESS_TOKEN"):
        return True
    folder = home or Path(environment.get("PULUMI_HOME") or Path.home() / ".pulumi")
    try:
        return bool(json.loads((folder / "credentials.json").read_text(encoding="utf-8")).get("current"))
    except (OSError, ValueError):
        return False


def environment(engine: Engine, folder: StateFolder, *, own_backend: bool) -> dict[str, str]:
    """Return Pulumi's environment; ``own_backend``: state below the checkout, its secrets under our passphrase."""
    variables = {"PULUMI_SKIP_UPDATE_CHECK": "true"}
    if not engine.official:
        variables["PULUMI_HOME"] = str(folder.home)
    if own_backend:
        variables |= {
            # Metadata would be a second file beside each, written in place: if a kill leaves it empty, the state is lost.
            "PULUMI_BACKEND_URL": f"file://{folder.backend}?metadata=skip",
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(folder.passphrase_file()),
        }
    return variables
