"""Pulumi's operations on one stack of this checkout, by its Automation API."""

import json
import os
import re
import runpy
import shutil
import socket
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import psutil
import yaml
from pulumi import automation as auto

from settings import PROJECT
from stack import engine as engines
from stack.engine import Engine
from stack.errors import LockedError, SettingsProblemError, StackError, UpdateError
from stack.narration import Narration
from stack.state import REPOSITORY, StateFolder
from standalone.processes import is_alive
from standalone.progress import Progress

T = TypeVar("T")


def program() -> None:
    """Run the repository's program as ``pulumi up`` does."""
    runpy.run_path(str(REPOSITORY / "__main__.py"), run_name="__main__")


@dataclass(frozen=True, kw_only=True)
class Done:
    """What an ``up`` did."""

    changes: Mapping[str, int]
    """Operation to count."""

    outputs: Mapping[str, Any]
    """The stack's outputs by name, secret ones in plain text."""


class Operations:
    """One stack, opened. Raises StackError for whatever Pulumi says went wrong."""

    def __init__(self, stack: auto.Stack, folder: StateFolder, progress: Progress, *, own_backend: bool) -> None:
        self._stack = stack
        self._folder = folder
        self._progress = progress
        self._own_backend = own_backend

    @classmethod
    @contextmanager
    def opened(
        cls,
        name: str,
        engine: Engine,
        folder: StateFolder,
        progress: Progress,
        *,
        more_environment: Mapping[str, str] | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> Generator["Operations"]:
        """Open the stack ``name``, made if it is new; ``config`` is laid over its file, top-level keys into objects."""
        folder.prepare()
        own_backend = not engine.official or not engines.logged_in()
        work = folder.work(name) if own_backend else REPOSITORY
        if own_backend:
            _copy_project(name, folder, config or {})
        with engines.providers(engine) as providers:
            variables = {
                **engines.environment(engine, folder, own_backend=own_backend),
                **providers,
                **(more_environment or {}),
            }
            # The program and the doubles run in this process and see its variables, not Pulumi's.
            with _environment(more_environment or {}):
                stack = auto.create_or_select_stack(
                    name,
                    project_name=PROJECT,
                    program=program,
                    opts=auto.LocalWorkspaceOptions(
                        work_dir=str(work),
                        env_vars=variables,
                        pulumi_command=engine.automation(),
                    ),
                )
                yield cls(stack, folder, progress, own_backend=own_backend)

    def preview(self, tell: Callable[[str], None]) -> dict[str, int]:
        """Print what would change and return it, operation to count."""
        narration = Narration(self._progress)
        self._carried_out(
            lambda: self._stack.preview(diff=True, color="auto", on_output=tell, on_event=narration.listen), narration
        )
        return narration.changes

    def up(self) -> Done:
        """Make the cluster what the program says."""
        narration = Narration(self._progress)
        result = self._carried_out(lambda: self._stack.up(on_event=narration.listen, suppress_outputs=True), narration)
        return Done(changes=narration.changes, outputs={name: output.value for name, output in result.outputs.items()})

    def destroy(self) -> dict[str, int]:
        """Remove all of the stack and forget it; return what was removed."""
        narration = Narration(self._progress)
        self._carried_out(lambda: self._stack.destroy(on_event=narration.listen), narration)
        self._carried_out(lambda: self._stack.workspace.remove_stack(self._stack.name), narration)
        if self._own_backend:
            shutil.rmtree(self._folder.work(self._stack.name))
        return narration.changes

    def is_empty(self) -> bool:
        """Tell whether nothing was ever made, or all of it was removed."""
        resources: list[Any] = (self._stack.export_stack().deployment or {}).get("resources") or []
        return not resources

    def _carried_out(self, act: Callable[[], T], narration: Narration) -> T:
        try:
            return act()
        except auto.ConcurrentUpdateError as error:
            if self._own_backend and (ended := self._lock_of_nobody()):
                self._progress.say(f"      [dim]{ended}: its lock is taken off (pulumi cancel)[/]")
                self._stack.cancel()
                return act()
            raise self._locked() from error
        except auto.CommandError as error:
            raise _explained(narration.errors, str(error), self._stack.name) from error

    def _lock_of_nobody(self) -> str | None:
        """Return who held every lock, if none of them lives: Pulumi's file backend leaves locks of what was killed."""
        holders = [json.loads(path.read_text()) for path in self._folder.locks(PROJECT, self._stack.name)]
        if not holders or any(one["hostname"] != socket.gethostname() or lives(one["pid"]) for one in holders):
            return None
        return f"an earlier update (pid {holders[0]['pid']}) was killed"

    def _locked(self) -> LockedError:
        paths = self._folder.locks(PROJECT, self._stack.name) if self._own_backend else []
        holder = ", ".join(f"pid {one['pid']} since {one['timestamp'][:19]}" for one in map(_read, paths))
        backend = self._stack.workspace.env_vars.get("PULUMI_BACKEND_URL")
        command = f"{f'PULUMI_BACKEND_URL={backend} ' if backend else ''}pulumi cancel --stack {self._stack.name}"
        return LockedError(
            f"the stack {self._stack.name} is being changed by another update{f' ({holder})' if holder else ''}",
            f"Wait for it. If it is no more, take its lock off: {command}",
        )


def lives(pid: int) -> bool:
    """Tell whether there is such a process."""
    try:
        return is_alive(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return False


def _read(path: Any) -> dict[str, Any]:
    return json.loads(path.read_text())


def _explained(errors: list[str], output: str, stack: str) -> StackError:
    """Return the providers' and the program's own words, without the engine's around them."""
    told = [one for one in errors if not one.startswith(("update failed", "preview failed", "destroy failed"))]
    if settings := next((one for one in [*told, output] if "The configuration of stack" in one), None):
        text = settings[settings.index("The configuration of stack") :].split("\n\n")[0]
        return SettingsProblemError(text.strip(), f"Mend Pulumi.{stack}.yaml; docs/configuration.md has every key.")
    if not told:
        told = [line for line in output.splitlines() if line.strip().startswith("error:")] or [output.strip()[-2000:]]
    problems = "\n".join(_tidy(one) for one in dict.fromkeys(told))
    if "protect" in problems:
        return UpdateError(problems, f"Set protect: false in Pulumi.{stack}.yaml, make up STACK={stack}, then again.")
    return UpdateError(problems, f"Mend it and run it again: what was made stays. Look: make status STACK={stack}")


def _tidy(text: str) -> str:
    text = re.sub(r"^error:\s*", "", text.strip())
    return re.sub(r"^\d+ errors? occurred:\s*\* ", "", text)


def _copy_project(name: str, folder: StateFolder, config: Mapping[str, Any]) -> None:
    """Give Pulumi a project of its own to write to: it keeps salts in stack files, which would show in ``git status``."""
    work = folder.work(name)
    shutil.copy(REPOSITORY / "Pulumi.yaml", work / "Pulumi.yaml")
    given: dict[str, Any] = yaml.safe_load((REPOSITORY / f"Pulumi.{name}.yaml").read_text()) or {}
    kept = work / f"Pulumi.{name}.yaml"
    if kept.exists() and "encryptionsalt" not in given:
        before: dict[str, Any] = yaml.safe_load(kept.read_text()) or {}
        given |= {key: before[key] for key in ("encryptionsalt",) if key in before}
    values: dict[str, Any] = given.setdefault("config", {})
    for key, value in config.items():
        values[key] = {**values.get(key, {}), **value} if isinstance(value, dict) else value
    kept.write_text(yaml.safe_dump(given))


@contextmanager
def _environment(variables: Mapping[str, str]) -> Generator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
