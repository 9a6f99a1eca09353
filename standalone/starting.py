"""Bringing Airflow up: what to check, what runs beside what, and putting everything back when it fails."""

import os
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import httpx
from rich.markup import escape

from standalone import database, first_run, health, packages, preflight, processes, roster
from standalone.environment import component_environment, database_urls
from standalone.errors import ComponentError, StandaloneError, UnhealthyError, tail
from standalone.progress import Progress
from standalone.rest import AirflowApi
from standalone.state import ADMIN_USERNAME, Run, StateFolder

MIGRATION_SECONDS = 600.0
HEALTHY_SECONDS = 180.0
DAGS_SECONDS = 120.0
FIRST_RUN_SECONDS = 120.0


class Starting:
    """One start: the processes it has made so far, on record before anything else can fail."""

    def __init__(self, folder: StateFolder, run: Run, progress: Progress) -> None:
        self.folder = folder
        self.run = run
        self.progress = progress
        self.secrets = folder.read_secrets()
        self.environment = component_environment(folder, run, self.secrets, os.environ)
        self._job: packages.Job | None = None
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def bring_up(self, options: preflight.StartOptions) -> packages.Discovery:
        """Return the jobs found, once Airflow is healthy. Raises StandaloneError for what was in the way."""
        with self.progress.step("DAG files") as step:
            discovery = packages.discover(Path(self.run.packages), self.environment)
            if not discovery.jobs:
                raise packages.none_healthy(Path(self.run.packages), discovery)
            self._job = first_run.pick(discovery, Path(self.run.packages), options.job)
            # Whole before the dag-processor takes its first look; dagsync's own readiness port would be open to the network.
            packages.sync(self.environment)
            step.note = _counted(discovery)
        for problem in discovery.problems[: packages.SHOWN_PROBLEMS]:
            self.progress.say(f"    [yellow]problem[/] {escape(problem.text)}")
        self._migrate()
        with self.progress.step("Airflow healthy") as step:
            for name in roster.COMMANDS:
                self._launch(name)
            self._wait_until_healthy()
            step.note = ", ".join(roster.COMMANDS)
        self.run = replace(self.run, ready=True)
        self.folder.write_run(self.run)
        return discovery

    def prove(self, discovery: packages.Discovery, options: preflight.StartOptions) -> None:
        """Wait until every job is a DAG and run one.

        Raises JobsNotLoadedError or FirstRunError for what the jobs did, ComponentError or UnhealthyError for Airflow.
        """
        try:
            with AirflowApi(self.run.url) as api:
                api.log_in(ADMIN_USERNAME, self.secrets.admin_password)
                self._prove(api, discovery, options)
        except httpx.HTTPError as error:
            self._check_alive()
            log = self.folder.component_log("api-server")
            raise UnhealthyError(f"the API server refused a request: {error}{tail(log)}", f"The whole log is {log}") from error

    def _prove(self, api: AirflowApi, discovery: packages.Discovery, options: preflight.StartOptions) -> None:
        with self.progress.step("every job is a DAG") as step:
            expected = [job.dag_id for job in discovery.jobs]
            seconds = DAGS_SECONDS + len(expected) / 10
            first_run.wait_for_dags(api, expected, since=self.run.began, seconds=seconds, check=self._check_alive)
            step.note = f"{_plural(len(expected), 'DAG')}, no import errors"
        if not options.first_run:
            return
        if self._job is None:
            self.progress.say("  [yellow]-[/] no job runs without modules that are not installed here; none was run")
            return
        with self.progress.step(f"first run: {self._job.full_name}") as step:
            first_run.run(api, self._job, seconds=FIRST_RUN_SECONDS, check=self._check_alive)
            step.note = "success"

    def _launch(self, name: str) -> None:
        quiet = {"PYTHONDONTWRITEBYTECODE": "1"} if name in roster.RUNS_JOBS else {}
        component, process = processes.launch(
            name,
            processes.python(*roster.COMMANDS[name]),
            environment={**self.environment, **quiet},
            log=self.folder.component_log(name),
        )
        self._processes[name] = process
        self.run = replace(self.run, components=(*self.run.components, component))
        self.folder.write_run(self.run)

    def _migrate(self) -> None:
        installed = database.installed_versions()
        step_needed = database.next_step(self.folder.database, self.folder.schema, installed)
        if step_needed == "none":
            return
        with self.progress.step("database") as step:
            target = self.folder.database
            if step_needed == "create":
                target = target.with_suffix(".new")
                target.unlink(missing_ok=True)
            log = self.folder.component_log("migrate")
            _, process = processes.launch(
                "migrate",
                processes.python("airflow", "db", "migrate"),
                environment={**self.environment, **database_urls(target.as_posix())},
                log=log,
            )
            health.poll(process.poll, lambda code: code is not None, MIGRATION_SECONDS)
            if process.returncode != 0:
                if database.NEWER_SCHEMA in log.read_text(encoding="utf-8", errors="replace"):
                    raise database.too_new(target, "of another version", installed[database.SCHEMA_OWNERS[0]])
                raise ComponentError(f"airflow db migrate failed:{tail(log)}", f"The whole log is {log}")
            if step_needed == "create":
                database.adopt(target, self.folder.database)
            database.write_stamp(self.folder.database, self.folder.schema, installed)
            step.note = "created" if step_needed == "create" else "migrated"

    def _wait_until_healthy(self) -> None:
        def look() -> dict[str, str]:
            self._check_alive()
            return health.ask(api, self.run.began)

        with AirflowApi(self.run.url) as api:
            if problems := health.poll(look, lambda problems: not problems, HEALTHY_SECONDS):
                listed = ", ".join(f"{name}: {state}" for name, state in problems.items())
                raise UnhealthyError(
                    f"Airflow is not healthy after {HEALTHY_SECONDS:.0f} s: {listed}", f"Look at the logs in {self.folder.logs}"
                )

    def _check_alive(self) -> None:
        for name, process in self._processes.items():
            if (code := process.poll()) is not None:
                log = self.folder.component_log(name)
                how = f"signal {-code}" if code < 0 else f"exit code {code}"
                raise ComponentError(f"{name} ended with {how}; the end of its log:{tail(log)}", f"The whole log is {log}")


def start(folder: StateFolder, options: preflight.StartOptions, progress: Progress) -> Run:
    """Bring Airflow up, prove it, and return its record; one that is up with the same packages is left as it is.

    Raises a StandaloneError. Whatever was started is stopped again, unless it is Airflow's jobs that failed and not Airflow.
    """
    root = packages.check(options.packages)
    folder.prepare()
    with folder.locked():
        if run := preflight.already_up(folder, root, options, progress):
            return run
        port = options.port or preflight.DEFAULT_PORT
        preflight.check_machine(folder, port)
        previous = folder.read_run()
        if previous is None or previous.packages != str(root):
            # The folder is ours alone: another tree's DAG files would show as DAGs without jobs.
            shutil.rmtree(folder.dags)
            folder.dags.mkdir()
        run = Run(packages=str(root), port=port, began=time.time())
        starting = Starting(folder, run, progress)
        try:
            discovery = starting.bring_up(options)
            starting.prove(discovery, options)
        except BaseException as error:
            if not (isinstance(error, StandaloneError) and error.stays_up):
                processes.stop(folder.root, starting.run.components)
            raise
        return starting.run


def _counted(discovery: packages.Discovery) -> str:
    count = len({job.package for job in discovery.jobs})
    found = f"{_plural(len(discovery.jobs), 'job')} in {_plural(count, 'package')}"
    return f"{found}, {_plural(len(discovery.problems), 'problem')}" if discovery.problems else found


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
