"""Imports a job and calls its entrypoint, in the process it is called in."""

import importlib
import inspect
import sys
from collections.abc import Sequence
from typing import Any

from dagsync.errors import JobFailedError

DEFAULT_PACKAGES_ROOT = "/app/packages"


def call_job(job: str, argv: Sequence[str], packages_root: str) -> None:
    """Run ``package.job`` with the arguments ``argv``.

    Raises ``JobFailedError`` if the job returns something other than 0 or ``None``, calls ``sys.exit`` with it, or raises.
    """
    package, _, name = job.partition(".")
    if packages_root not in sys.path:
        sys.path.insert(0, packages_root)
    # A job that parses sys.argv itself, or prints its usage, sees what it would on a command line.
    sys.argv = [f"{package}/jobs/{name}.py", *argv]
    try:
        module = importlib.import_module(f"{package}.jobs.{name}")
        result = _result(_entrypoint(job, module.JOB), list(argv))
    except SystemExit as stop:
        _check(job, "called sys.exit:", stop.code)
    except JobFailedError:
        raise
    except Exception as error:
        raise JobFailedError(f"job {job} raised {_told(error)}", job_exit_code=1) from error
    else:
        _check(job, "returned", result)


def _entrypoint(job: str, declared: Any) -> Any:
    entrypoint: Any = declared.entrypoint if hasattr(declared, "entrypoint") else declared[0]
    if not callable(entrypoint):
        raise JobFailedError(f"job {job}: the entrypoint {entrypoint!r} cannot be called", "JOB starts with a function")
    return entrypoint


def _result(entrypoint: Any, argv: list[str]) -> object:
    """Call an entrypoint. One without parameters is the ``main()`` of a script, which reads ``sys.argv``."""
    result: Any = entrypoint(argv) if _has_parameters(entrypoint) else entrypoint()
    if not inspect.iscoroutine(result):
        return result
    # Imported here: it takes as long to import as all else of a job's start.
    import asyncio

    return asyncio.run(result)


def _has_parameters(entrypoint: Any) -> bool:
    try:
        signature = inspect.signature(entrypoint)
    except (TypeError, ValueError):
        # Of some functions written in C it cannot be told.
        return True
    return bool(signature.parameters)


def _told(error: Exception) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:
        # An exception may fail even at saying what it is.
        return type(error).__name__


def _check(job: str, how: str, code: object) -> None:
    """Raise unless ``code`` means success, by the rules of ``sys.exit``: ``None`` and 0 do, a text is an error message."""
    if code is None:
        return
    if isinstance(code, int):
        if code != 0:
            raise JobFailedError(f"job {job} {how} exit code {int(code)}", job_exit_code=int(code))
        return
    if isinstance(code, str):
        raise JobFailedError(f"job {job} {how} {code!r}, exit code 1", job_exit_code=1)
    message = f"job {job} {how} {type(code).__name__}, expected an exit code"
    raise JobFailedError(message, "return 0 for success", job_exit_code=1)
