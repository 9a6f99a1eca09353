"""Runs one job for an Airflow task. Called by the generated DAG files; imports nothing of Airflow."""

import logging
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dagsync.argv import OptionRow, argv_from
from dagsync.calling import call_job
from dagsync.errors import JobFailedError
from dagsync.holding import held, packages_root

log = logging.getLogger(__name__)


def run_job(job: str, context: Mapping[str, Any], options: Sequence[OptionRow] = (), isolation: str = "inline") -> None:
    """Run ``package.job`` with the arguments of an Airflow task context.

    ``options`` tell how the DAG's params become arguments (see ``argv_from``); without any, only ``args`` counts.
    ``isolation`` is ``process`` or ``inline``. The job is that of the version the task's bundle shows, or of the one that
    ``ETL_PACKAGES_ROOT`` names now, and that version stays on disk until the job ends. Raises ``JobFailedError``, which fails
    the task, if the job returns something other than 0 or ``None``, calls ``sys.exit`` with it, or raises.
    """
    argv = arguments_of(context, options)
    log.info("the same by hand: %s", shlex.join(["airflow-control-plane", "run", job, *(["--", *argv] if argv else [])]))
    with held(packages_root(context, os.environ)) as root:
        if isolation == "process":
            # Imported here: subprocesses are nothing to a job that runs inline.
            from dagsync.isolation import run_in_environment

            run_in_environment(job, argv, os.environ | {"ETL_PACKAGES_ROOT": str(root)})
        else:
            _check_inline(job, root)
            call_job(job, argv, str(root))


def _check_inline(job: str, root: Path) -> None:
    from dagsync.requirements import lock_of

    package = job.partition(".")[0]
    if lock_of(root, package) is not None:
        message = f"job {job}: isolation='inline' runs it in Airflow's environment, and package {package} brings its own"
        raise JobFailedError(message, "leave out isolation, or move the job to a package without virtualenv")


def arguments_of(context: Mapping[str, Any], options: Sequence[OptionRow] = ()) -> list[str]:
    """Return the ``args`` of the run's ``conf`` if given, else those made of the DAG's params."""
    run: Any = context.get("dag_run")
    conf: Mapping[str, Any] = getattr(run, "conf", None) or {}
    params: Mapping[str, Any] = context["params"]
    # Airflow merges conf into params unless dag_run_conf_overrides_params is off; given arguments always win.
    args: object = conf["args"] if "args" in conf else params["args"]
    if options and args is None:
        values = {row[0]: conf[row[0]] if row[0] in conf else params.get(row[0]) for row in options}
        try:
            return argv_from(options, values)
        except ValueError as error:
            raise JobFailedError(str(error), "give the whole command line as args") from None
    if isinstance(args, str) or not isinstance(args, Sequence):
        raise JobFailedError(
            f"args: expected a list of strings, found {args!r}", 'trigger with {"args": ["--date", "2026-01-01"]}'
        )
    return [str(argument) for argument in args]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - JSON
