"""From a checkout to a finished first run."""

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx

from settings import Settings
from stack import address, clusters, first_run, images
from stack.clusters import Target
from stack.configuration import settings_of
from stack.engine import Engine, find
from stack.errors import FirstRunError, UnhealthyError
from stack.narration import described
from stack.operations import Operations
from stack.state import REPOSITORY, Record, StateFolder
from standalone import first_run as try_first_run
from standalone import health, packages
from standalone.progress import Progress
from standalone.rest import AirflowApi

HEALTHY_SECONDS = 300.0


@dataclass(frozen=True, kw_only=True)
class UpOptions:
    """What a person may choose."""

    context: str | None = None
    port: int | None = None
    job: str | None = None
    first_run: bool = True


@dataclass(frozen=True, kw_only=True)
class Up:
    """What is up."""

    record: Record
    target: Target
    username: str
    password: str
    changed: bool


class BringingUp:
    """One ``up`` under way. Its steps are meant to be taken in order."""

    def __init__(self, stack: str, folder: StateFolder, options: UpOptions, progress: Progress) -> None:
        self.stack, self.folder, self.options, self.progress = stack, folder, options, progress
        self.settings: Settings = settings_of(stack)
        self.record = folder.read(stack) or Record(namespace=self.settings.namespace)

    def run(self) -> Up:
        """Take all steps. Raises StackError; whatever was made stays, for the next ``up`` to go on with."""
        self.folder.prepare()
        engine = find(self.settings.platform)
        self.progress.say(f"  Pulumi: {engine.sentence}")
        target = self._cluster() if self.settings.platform == "kubernetes" else None
        config: Mapping[str, Any] = self._config(target) if target else {}
        changes, outputs = self._stack(engine, target, config)
        target = target or clusters.from_output(outputs["kubeconfig"], self.folder.root / f"{self.stack}.kubeconfig")
        username, password = admin(target, self.settings.namespace)
        self._keep(kubeconfig=target.kubeconfig, context=target.context)
        self._address(target)
        with AirflowApi(self.record.url) as api:
            self._healthy(api)
            self._first_run(api, username, password, changed=bool(changes))
        return Up(record=self.record, target=target, username=username, password=password, changed=bool(changes))

    def _cluster(self) -> Target:
        target = clusters.start(self.settings, self.progress, context=self.options.context)
        self.progress.say(f"  Kubernetes {target.version}: {target.context or target.kubeconfig}")
        if target.kubeconfig != self.record.kubeconfig:
            self._keep(loaded=())
        self._keep(kubeconfig=target.kubeconfig, context=target.context)
        return target

    def _config(self, target: Target) -> Mapping[str, Any]:
        """Provide the image and return what is laid over the stack file."""
        provided = images.provide(
            self.settings, target.ours, loaded=self.record.loaded, repository=REPOSITORY, progress=self.progress
        )
        self._keep(loaded=provided.loaded, image=provided.reference)
        return clusters.config(target, provided.reference)

    def _stack(
        self, engine: Engine, target: Target | None, config: Mapping[str, Any]
    ) -> tuple[Mapping[str, int], Mapping[str, Any]]:
        opened = Operations.opened(
            self.stack,
            engine,
            self.folder,
            self.progress,
            more_environment=target.environment if target else {},
            config=config,
        )
        with self.progress.step(f"pulumi up --stack {self.stack}") as step, opened as operations:
            done = operations.up()
            step.note = described(done.changes)
            return done.changes, done.outputs

    def _address(self, target: Target) -> None:
        if address.forwarder(self.record) and self.options.port in (None, self.record.port):
            return
        address.stop(self.record)
        port = address.choose_port(self.options.port, self.record.port)
        with self.progress.step("forward a port") as step:
            pid, started = address.start(self.folder, self.stack, target, self.settings.namespace, port)
            self._keep(port=port, forward_pid=pid, forward_started=started)
            step.note = f"{self.record.url} (process {pid})"

    def _healthy(self, api: AirflowApi) -> None:
        with self.progress.step("wait until healthy"):
            problems = health.poll(lambda: health.ask(api, 0), lambda problems: not problems, HEALTHY_SECONDS)
        if problems:
            listed = ", ".join(f"{name}: {state}" for name, state in problems.items())
            raise UnhealthyError(
                f"Airflow is not healthy after {HEALTHY_SECONDS:.0f} s: {listed}",
                f"Look: make status STACK={self.stack}, make logs STACK={self.stack}",
            )

    def _first_run(self, api: AirflowApi, username: str, password: str, *, changed: bool) -> None:
        proved = self.record.first_run is not None and not changed and self.options.job is None
        if proved or not self.options.first_run:
            return
        try:
            api.log_in(username, password)
            dag = ""
            with self.progress.step("first run") as step:
                dag = step.note = first_run.pick(api, self.options.job or self._first_job())
                first_run.run(api, dag, self.stack)
            self._keep(first_run=dag)
        except httpx.HTTPError as error:
            raise FirstRunError(
                f"Airflow's API refused: {error}", f"Airflow is up. Look: make logs STACK={self.stack} COMPONENT=api-server"
            ) from error

    def _first_job(self) -> str | None:
        """Return the job that `make try` would run, of the packages in this checkout; none where the image is another's."""
        if not images.is_built_here(self.settings):
            return None
        root = REPOSITORY / self.settings.image.packages
        job = try_first_run.pick(packages.discover(root, os.environ), root)
        return job.dag_id if job else None

    def _keep(self, **found: Any) -> None:
        self.record = replace(self.record, namespace=self.settings.namespace, **found)
        self.folder.write(self.stack, self.record)


def admin(target: Target, namespace: str) -> tuple[str, str]:
    """Return name and password of the first user, from the Secret. Raises UnhealthyError where there is none."""
    manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "airflow-admin", "namespace": namespace}}
    found = target.objects.get(manifest)
    if found is None:
        raise UnhealthyError(f"the Secret {namespace}/airflow-admin is not there", "Bring the stack up: make up STACK=...")
    username, password = (base64.b64decode(found["data"][key]).decode() for key in ("username", "password"))
    return username, password
