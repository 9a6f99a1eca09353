"""Runs one job inside an Airflow task. Called by the generated DAG files; imports nothing of Airflow."""

import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from dagsync.errors import JobFailedError

DEFAULT_PACKAGES_ROOT = "/app/packages"


def run_job(job: str, context: Mapping[str, Any]) -> None:
    """Run ``package.job`` with the arguments of an Airflow task context.

    Raises ``JobFailedError``, which fails the task, if the job returns something other than 0 or ``None``, calls ``sys.exit``
    with it, or raises.
    """
    root = os.environ.get("ETL_PACKAGES_ROOT", DEFAULT_PACKAGES_ROOT)
    package, _, name = job.partition(".")
    argv = arguments_of(context)
    if root not in sys.path:
        sys.path.insert(0, root)
    # A job that parses sys.argv itself, or prints its usage, sees what it would on a command line.
    sys.argv = [f"{package}/jobs/{name}.py", *argv]
    try:
        module = importlib.import_module(f"{package}.jobs.{name}")
        entrypoint = _entrypoint(job, module.JOB)
        result: object = entrypoint(argv)
    except SystemExit as stop:
        _check(job, "called sys.exit:", stop.code)
    except JobFailedError:
        raise
    except Exception as error:
        raise JobFailedError(f"job {job} raised {type(error).__name__}: {error}") from error
    else:
        _check(job, "returned", result)


def arguments_of(context: Mapping[str, Any]) -> list[str]:
    """Return the ``args`` of the run's ``conf`` if given, else those of the DAG's params."""
    run: Any = context.get("dag_run")
    conf: Mapping[str, Any] = getattr(run, "conf", None) or {}
    # Airflow merges conf into params unless dag_run_conf_overrides_params is off; given arguments always win.
    args: object = conf["args"] if "args" in conf else context["params"]["args"]
    if isinstance(args, str) or not isinstance(args, Sequence):
        raise JobFailedError(
            f"args: expected a list of strings, found {args!r}", 'trigger with {"args": ["--date", "2026-01-01"]}'
        )
    return [str(argument) for argument in args]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - JSON


def _entrypoint(job: str, declared: Any) -> Any:
    entrypoint: Any = declared.entrypoint if hasattr(declared, "entrypoint") else declared[0]
    if not callable(entrypoint):
        raise JobFailedError(f"job {job}: the entrypoint {entrypoint!r} cannot be called", "JOB starts with a function")
    return entrypoint


def _check(job: str, how: str, code: object) -> None:
    """Raise unless ``code`` means success, by the rules of ``sys.exit``: ``None`` and 0 do, a text is an error message."""
    if code is None:
        return
    if isinstance(code, int):
        if code != 0:
            raise JobFailedError(f"job {job} {how} exit code {int(code)}")
        return
    if isinstance(code, str):
        raise JobFailedError(f"job {job} {how} {code!r}, exit code 1")
    raise JobFailedError(f"job {job} {how} {type(code).__name__}, expected an exit code", "return 0 for success")
