"""A stack of this project, driven by the real engine against provider doubles, its state in files."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pulumi import automation as auto
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS as CHANNEL_OPTIONS  # pyright: ignore[reportPrivateUsage]

from doubles.cloud import Cloud
from tests.built_tools import REPOSITORY

PROJECT = "airflow-control-plane"

# Engines come and go while this process stays, and one may get the port of another that is gone. Channels share connections by
# address otherwise: while an old one waits to try that port again, calls of a new one fail with what the old one saw.
CHANNEL_OPTIONS.append(("grpc.use_local_subchannel_pool", 1))


@dataclass
class DrivenStack:
    """One stack and everything it leaves behind: provider calls, state files, engine output."""

    name: str
    cloud: Cloud
    home: Path
    stack: auto.Stack
    environment: Mapping[str, str]
    output: list[str] = field(default_factory=list)
    """Everything the engine printed."""

    @classmethod
    def create(cls, name: str, program: Callable[[], None], *, cloud: Cloud, tools: Path, home: Path) -> "DrivenStack":
        """Make the stack with the repository's project and stack files, copied so that the engine may write to them."""
        for file in ("Pulumi.yaml", f"Pulumi.{name}.yaml"):
            shutil.copy(REPOSITORY / file, home / file)
        (home / "state").mkdir()
        environment = {
            "PULUMI_BACKEND_URL": f"file://{home / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "not a secret: this state lives as long as the test",
            "PULUMI_DEBUG_PROVIDERS": cloud.debug_providers,
            "PULUMI_HOME": str(home / "pulumi"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        stack = auto.create_stack(
            name,
            project_name=PROJECT,
            program=program,
            opts=auto.LocalWorkspaceOptions(
                work_dir=str(home),
                env_vars=environment,
                pulumi_command=auto.PulumiCommand(str(tools.parent.parent)),
            ),
        )
        return cls(name, cloud, home, stack, environment)

    def preview(self) -> dict[str, int]:
        """Return what would change, operation to count, without what stays the same."""
        return _changes(self.stack.preview(diff=True, on_output=self.output.append, color="never").change_summary)

    def up(self) -> dict[str, int]:
        """Return what changed, operation to count, without what stayed the same."""
        return _changes(self.stack.up(diff=True, on_output=self.output.append, color="never").summary.resource_changes or {})

    def refresh(self) -> dict[str, int]:
        """Return how the state differed from what the providers have, operation to count, without what was the same."""
        summary = self.stack.refresh(on_output=self.output.append, color="never").summary
        return _changes(summary.resource_changes or {})

    def drifted(self) -> set[tuple[str, str, str]]:
        """Refresh, and return what differed: operation, type and name."""
        found: set[tuple[str, str, str]] = set()

        def note(event: auto.EngineEvent) -> None:
            if (done := event.res_outputs_event) is not None and done.metadata.op != "same":
                operation = str(getattr(done.metadata.op, "value", done.metadata.op))
                found.add((operation, done.metadata.type, done.metadata.urn.rpartition("::")[2]))

        self.stack.refresh(on_event=note, on_output=self.output.append, color="never")
        return found

    def destroy(self) -> None:
        self.stack.destroy(on_output=self.output.append, color="never")

    def configure(self, key: str, value: Any) -> None:
        """Set ``section.key`` in the stack file, as a person would in an editor."""
        file = self.home / f"Pulumi.{self.name}.yaml"
        settings = yaml.safe_load(file.read_text())
        section, _, inner = f"{PROJECT}:{key}".rpartition(".")
        place = settings.setdefault("config", {})
        for part in filter(None, [section]):
            place = place.setdefault(part, {})
        place[inner] = value
        file.write_text(yaml.safe_dump(settings))

    @contextmanager
    def edited(self, settings: Mapping[str, Any], without: Sequence[str] = ()) -> Iterator[None]:
        """Change settings, and put the stack file back when the block ends."""
        file = self.home / f"Pulumi.{self.name}.yaml"
        before = file.read_text()
        try:
            for key in without:
                self.remove(key)
            for key, value in settings.items():
                self.configure(key, value)
            yield
        finally:
            file.write_text(before)

    def steps(self) -> list[tuple[str, str]]:
        """Return what a preview would do: operation and type, without what stays the same.

        Raises pulumi.automation.CommandError if the preview is refused.
        """
        found: list[tuple[str, str]] = []

        def note(event: auto.EngineEvent) -> None:
            if (step := event.resource_pre_event) is not None and step.metadata.op != "same":
                found.append((str(getattr(step.metadata.op, "value", step.metadata.op)), step.metadata.type))

        self.stack.preview(on_event=note, on_output=self.output.append, color="never")
        return found

    def remove(self, key: str) -> None:
        """Take ``section.key`` out of the stack file."""
        file = self.home / f"Pulumi.{self.name}.yaml"
        settings = yaml.safe_load(file.read_text())
        section, _, inner = f"{PROJECT}:{key}".rpartition(".")
        del settings["config"][section][inner]
        file.write_text(yaml.safe_dump(settings))

    def command(self, *arguments: str) -> str:
        """Run the engine's command line on this stack and return what it printed."""
        program = self.stack.workspace.pulumi_command.command
        done = subprocess.run(
            [program, *arguments, "--stack", self.name],
            cwd=self.home,
            env={"PATH": "/usr/bin:/bin", **self.environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout

    def resources(self) -> list[dict[str, Any]]:
        """Return the resources in the state, as they lie on disk."""
        file = self.home / "state" / ".pulumi" / "stacks" / PROJECT / f"{self.name}.json"
        return json.loads(file.read_text())["checkpoint"]["latest"].get("resources", [])

    def stored_text(self) -> dict[str, str]:
        """Return everything the engine wrote or said: state, history and backups, exported outputs, printed lines."""
        files = [path for path in (self.home / "state").rglob("*") if path.is_file()]
        texts = {str(path.relative_to(self.home)): path.read_text() for path in files}
        return {**texts, "outputs": self.command("stack", "output", "--json"), "printed": "\n".join(self.output)}


def _changes(summary: Mapping[Any, int]) -> dict[str, int]:
    return {str(getattr(operation, "value", operation)): count for operation, count in summary.items() if operation != "same"}
