"""Makes the environment of a lock, with uv where it is and with venv and pip where it is not."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from dagsync.errors import VirtualenvError
from dagsync.isolation import job_environment
from dagsync.requirements import Lock

BUILD_SECONDS = 1800.0
"""An index that answers slowly is waited for; one that hangs, not for good."""

LAST_LINES = 20

_NOT_FOR_TOOLS = re.compile(r"PYTHON(?:PATH|HOME|DONTWRITEBYTECODE)$|VIRTUAL_ENV$|UV_PYTHON$|UV_PROJECT")


def base_python() -> Path:
    """Return the Python this one is an environment of, or is: an environment made of it outlives ours."""
    found = Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")
    return found if found.exists() else Path(sys.executable)


def install(lock: Lock, target: Path, environment: Mapping[str, str], kept_open: Sequence[int] = ()) -> None:
    """Make ``target``, which does not exist, an environment of the distributions of ``lock`` alone.

    ``kept_open`` are descriptors that whatever is started here holds too. Wheels alone: building one would run code that no
    lock has seen. Raises ``VirtualenvError`` with the last lines of the tool.
    """
    given = {name: value for name, value in job_environment(environment).items() if not _NOT_FOR_TOOLS.match(name)}
    uv = shutil.which("uv", path=given.get("PATH"))
    for command in _by_uv(uv, lock, target, given) if uv else _by_pip(lock, target):
        _call(command, lock, target.parent, given, kept_open)


def _by_uv(uv: str, lock: Lock, target: Path, environment: Mapping[str, str]) -> list[list[str]]:
    python = str(target / "bin" / "python")
    options = ["--python", python, "--require-hashes", "--no-build", "--compile-bytecode", "--allow-empty-requirements"]
    # Links into a cache would change with it.
    options += ["--link-mode", "copy", *(() if _has_cache(environment) else ("--no-cache",))]
    return [
        [uv, "venv", "--quiet", "--no-project", "--python", str(base_python()), str(target)],
        [uv, "pip", "sync", "--quiet", *options, str(lock.path)],
    ]


def _has_cache(environment: Mapping[str, str]) -> bool:
    """Return whether uv has where to keep what it downloads: in a pod, whose root cannot be written, it has not."""
    if "UV_CACHE_DIR" in environment:
        return True
    cache = Path(environment.get("XDG_CACHE_HOME") or Path(environment.get("HOME") or "/", ".cache"))
    existing = next(each for each in (cache, *cache.parents) if each.exists())
    return os.access(existing, os.W_OK)


def _by_pip(lock: Lock, target: Path) -> list[list[str]]:
    options = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--no-input", "--disable-pip-version-check"]
    installed = [str(target / "bin" / "python"), "-m", "pip", "install", "--quiet", *options, "-r", str(lock.path)]
    return [[str(base_python()), "-m", "venv", str(target)], *([installed] if lock.pinned else [])]


def _call(command: list[str], lock: Lock, folder: Path, environment: Mapping[str, str], kept_open: Sequence[int]) -> None:
    process = subprocess.Popen(  # noqa: S603 - no shell, and every word is ours or a path
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="backslashreplace",
        start_new_session=True,
        pass_fds=kept_open,
    )
    try:
        output, _ = process.communicate(timeout=BUILD_SECONDS)
    except BaseException as error:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            raise VirtualenvError(_failed(lock, command, f"did not end within {BUILD_SECONDS:.0f} s", "")) from None
        raise
    if process.returncode != 0:
        raise VirtualenvError(
            _failed(lock, command, f"ended with exit code {process.returncode}", output),
            "look at its last lines: the index must be reachable from here, or the environment made with the image; "
            "what it holds must have the hashes of the lock",
        )


def _failed(lock: Lock, command: Sequence[str], how: str, output: str) -> str:
    tool = " ".join([Path(command[0]).name, *(word for word in command[1:4] if not word.startswith("-"))])
    lines = output.rstrip().splitlines()[-LAST_LINES:]
    told = "".join(["\nits last lines:", *(f"\n  {line[:500]}" for line in lines)]) if lines else ""
    return f"{lock.path}: the environment of package {lock.package} cannot be made: {tool} {how}{told}"
