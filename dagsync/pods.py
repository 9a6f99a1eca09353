"""What the pod of a job with ``isolation="kubernetes"`` is given: where it runs, its command, environment and rights.

All of it is read when the task runs, from the environment of the pod the task runs in, so that a DAG file is the same to the
byte wherever it is rendered.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dagsync.errors import JobFailedError

NAMESPACE_VARIABLE = "DAGSYNC_JOBS_NAMESPACE"
IMAGE_VARIABLE = "DAGSYNC_JOBS_IMAGE"
SERVICE_ACCOUNT_VARIABLE = "DAGSYNC_JOBS_SERVICE_ACCOUNT"
PULL_POLICY_VARIABLE = "DAGSYNC_JOBS_IMAGE_PULL_POLICY"
SECRET_VARIABLE = "DAGSYNC_JOBS_SECRET"  # noqa: S105 - the name of a variable
FINISH_VARIABLE = "DAGSYNC_JOBS_ON_FINISH_ACTION"

USER = 50000
"""``airflow`` in the official image, whose group is 0."""

GRACE_SECONDS = 10
"""From SIGTERM to SIGKILL of the whole pod: the job is given three of them."""

START_SECONDS = 600
"""How long a pod may take to be scheduled, and then to start: a node may have to be made, and a large image pulled."""

LEFT_ALONE_SECONDS = 120
"""After its timeout a pod that nobody watches any more is ended by Kubernetes itself, so much later."""

FETCHED = "/tmp/packages"  # noqa: S108 - in the job's own pod, which has nothing else to write to
_ALLOWED = {
    PULL_POLICY_VARIABLE: ("Always", "IfNotPresent", "Never"),
    FINISH_VARIABLE: ("delete_pod", "delete_succeeded_pod", "keep_pod"),
}
_GIVEN = re.compile(r"ETL_(?!PACKAGES_ROOT$)|AIRFLOW_CTX_|(?:AIRFLOW__LOGGING__LOGGING_LEVEL|AWS_(?:DEFAULT_)?REGION)$")
_SECRET_NAME = re.compile(r"SECRET|PASSW|TOKEN|CREDENTIAL|PRIVATE|(?:^|_)KEY(?:_|$)", re.IGNORECASE)
_SECRET_VALUE = re.compile(r"://[^/\s:@]*:[^/\s@]+@")


@dataclass(frozen=True)
class Place:
    """Where the pods of jobs run, and as whom."""

    image: str
    namespace: str = "etl-jobs"
    service_account: str = "etl-jobs"
    image_pull_policy: str | None = None
    secret: str | None = None
    """A Secret of that namespace, whose keys become environment variables."""

    on_finish_action: str = "delete_pod"


def place_of(environment: Mapping[str, str], image: str | None) -> Place:
    """Return where a job's pod runs; ``image`` is what the job asks for. Raises ``JobFailedError``."""
    for name, allowed in _ALLOWED.items():
        if environment.get(name, allowed[0]) not in ("", *allowed):
            raise JobFailedError(f"{name}: expected one of {', '.join(allowed)}, found {environment[name]!r}", f"mend {name}")
    found = image or environment.get(IMAGE_VARIABLE)
    if not found:
        fix = f'set {IMAGE_VARIABLE} where tasks run, or give the job one: image="registry.example.com/sales:1.0.0"'
        raise JobFailedError(f"the job has no image and {IMAGE_VARIABLE} is not set", fix)
    return Place(
        found,
        environment.get(NAMESPACE_VARIABLE) or Place.namespace,
        environment.get(SERVICE_ACCOUNT_VARIABLE) or Place.service_account,
        environment.get(PULL_POLICY_VARIABLE) or None,
        environment.get(SECRET_VARIABLE) or None,
        environment.get(FINISH_VARIABLE) or Place.on_finish_action,
    )


def pod_environment(environment: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return what of the task's environment a job's pod is told, and the names held back because they look like secrets.

    Whoever may read pods reads their environment, so a secret has to come from a Secret, or by the service account.
    """
    given = {name: value for name, value in environment.items() if _GIVEN.match(name)}
    held_back = sorted(name for name, value in given.items() if _SECRET_NAME.search(name) or _SECRET_VALUE.search(value))
    return {name: verbatim(value) for name, value in given.items() if name not in held_back}, held_back


def pod_command(job: str, argv: Sequence[str], source: str | None, version: str | None) -> list[str]:
    """Return what the job's container runs. With ``source`` and ``version`` it fetches the packages of its run first."""
    fetched = ["--source", source, "--version", version, "--cache", FETCHED] if source and version else []
    # The entrypoint of Airflow's image takes what it does not know for a command of Airflow, so none of any image's is used.
    return ["dagsync", "run", *fetched, job, "--", *map(verbatim, argv)]


def verbatim(text: str) -> str:
    """Return what Kubernetes, which puts variables for ``$(NAME)`` in commands and environments, makes ``text`` of."""
    return text.replace("$", "$$")


def pod_name(job: str) -> str:
    """Return the name of a job's pods, without what tells one from another: as of a host (RFC 1123)."""
    return re.sub(r"[^a-z0-9]+", "-", job.lower()).strip("-") or "job"


def container_security() -> dict[str, Any]:
    """Return a security context that Kubernetes' restricted Pod Security admits, with nothing to write to but volumes."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "privileged": False,
        "readOnlyRootFilesystem": True,
    }


def pod_security() -> dict[str, Any]:
    """Return the security context of a pod that runs as the user of Airflow's image."""
    return {
        "runAsNonRoot": True,
        "runAsUser": USER,
        "runAsGroup": 0,
        "fsGroup": 0,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
