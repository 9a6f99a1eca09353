"""``by_hand.py KUBECTL AIRFLOW_IMAGE POSTGRESQL_IMAGE NAMESPACE``: Airflow as somebody would write it down in an afternoon.

Applies manifests to the cluster of ``KUBECONFIG``, waits until pods are ready, triggers one DAG and waits for its success.
It has what a pod needs to be admitted under restricted Pod Security, and nothing more: no user, no network policy, no quota,
no volume, no disruption budget, no liveness, secrets in plain text, Airflow's own defaults for all that can be left out.
"""

import json
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from secrets import token_bytes, token_hex
from typing import Any

import httpx

PATIENCE_SECONDS = 300.0
LOOK_EVERY_SECONDS = 0.5
PORT = 18099
DAG = "hello"
DAG_FILE = """
from airflow.sdk import dag, task

@dag(schedule=None)
def hello():
    @task
    def greet():
        print("hello")
    greet()

hello()
"""
WRITABLE = {"tmp": "/tmp", "logs": "/opt/airflow/logs"}
CONTAINER_SECURITY = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}


def main(kubectl: str, airflow_image: str, postgresql_image: str, namespace: str) -> None:
    """Take all steps; whatever goes wrong ends the process with an error."""
    found = manifests(airflow_image, postgresql_image, namespace)
    items = json.dumps({"apiVersion": "v1", "kind": "List", "items": found})
    subprocess.run([kubectl, "apply", "--filename", "-"], input=items, text=True, check=True, stdout=sys.stderr)
    names = [f"deployment/{one['metadata']['name']}" for one in found if one["kind"] == "Deployment"]
    waiting = [
        kubectl,
        "--namespace",
        namespace,
        "wait",
        "--for=condition=Available",
        f"--timeout={PATIENCE_SECONDS:.0f}s",
        *names,
    ]
    subprocess.run(waiting, check=True, stdout=sys.stderr)
    forward = [kubectl, "--namespace", namespace, "port-forward", "service/api-server", f"{PORT}:8080"]
    forwarding = subprocess.Popen(forward, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{PORT}", timeout=20, trust_env=False) as api:
            first_run(api)
    finally:
        forwarding.terminate()
        forwarding.wait()


def first_run(api: httpx.Client) -> None:
    """Wait for the DAG, trigger it and wait for its success."""

    def logged_in() -> bool:
        try:
            token = api.get("/auth/token").raise_for_status().json()["access_token"]
        except httpx.TransportError:
            return False
        api.headers["Authorization"] = f"Bearer {token}"
        return True

    until("the API", logged_in)
    until("the DAG", lambda: api.get(f"/api/v2/dags/{DAG}").is_success)
    api.patch(f"/api/v2/dags/{DAG}", json={"is_paused": False}).raise_for_status()
    runs = f"/api/v2/dags/{DAG}/dagRuns"
    run_id = api.post(runs, json={"logical_date": None}).raise_for_status().json()["dag_run_id"]
    until("the run", lambda: api.get(f"{runs}/{run_id}").raise_for_status().json()["state"] == "success")


def until(what: str, holds: Callable[[], bool]) -> None:
    """Look again and again until it is so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            sys.exit(f"{what} is not there after {PATIENCE_SECONDS:.0f} s")
        time.sleep(LOOK_EVERY_SECONDS)


def manifests(airflow_image: str, postgresql_image: str, namespace: str) -> list[dict[str, Any]]:
    """Return every object, the namespace first."""
    database = f"airflow:{token_hex(16)}@postgresql:5432/airflow"
    environment = {
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__FERNET_KEY": urlsafe_b64encode(token_bytes(32)).decode(),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": "http://api-server:8080/execution/",
        "AIRFLOW__CORE__AUTH_MANAGER": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__DAGS_FOLDER": "/mnt/dags",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{database}",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC": f"postgresql+asyncpg://{database}",
        "AIRFLOW__API__SECRET_KEY": token_hex(16),
        "AIRFLOW__API_AUTH__JWT_SECRET": token_hex(32),
        "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK": "True",
        "AIRFLOW_CONFIG": "/tmp/airflow.cfg",
    }
    password = database.partition(":")[2].partition("@")[0]

    def airflow(name: str, *command: str, path: str = "", port: int = 0) -> dict[str, Any]:
        main_container = container(name, airflow_image, ["airflow", *command], environment)
        if path:
            main_container["readinessProbe"] = {"httpGet": {"path": path, "port": port}, "periodSeconds": 2}
        wait = ["airflow", "db", "check-migrations", "--migration-wait-timeout", f"{PATIENCE_SECONDS:.0f}"]
        first = container("wait-for-migrations", airflow_image, wait, environment)
        return deployment(namespace, name, pod(50000, [main_container], WRITABLE, initContainers=[first]))

    data = {"data": "/var/lib/postgresql/data", "run": "/var/run/postgresql", "tmp": "/tmp"}
    server = container(
        "postgresql",
        postgresql_image,
        None,
        {"POSTGRES_USER": "airflow", "POSTGRES_PASSWORD": password, "PGDATA": "/var/lib/postgresql/data/17"},
        data,
    )
    server["readinessProbe"] = {"tcpSocket": {"port": 5432}, "periodSeconds": 1}
    migrate = container("migrate", airflow_image, ["airflow", "db", "migrate"], environment)
    job = {"backoffLimit": 6, "template": {"spec": pod(50000, [migrate], WRITABLE, restartPolicy="OnFailure")}}
    return [
        named("v1", "Namespace", namespace, labels={"pod-security.kubernetes.io/enforce": "restricted"}),
        named("v1", "ConfigMap", "dags", namespace) | {"data": {f"{DAG}.py": DAG_FILE}},
        deployment(namespace, "postgresql", pod(999, [server], data)),
        service(namespace, "postgresql", 5432),
        named("batch/v1", "Job", "migrate", namespace) | {"spec": job},
        airflow("api-server", "api-server", path="/api/v2/version", port=8080),
        service(namespace, "api-server", 8080),
        airflow("scheduler", "scheduler", path="/health", port=8974),
        airflow("dag-processor", "dag-processor"),
    ]


def named(api_version: str, kind: str, name: str, namespace: str | None = None, **metadata: Any) -> dict[str, Any]:
    """Return the head of an object."""
    where = {"namespace": namespace} if namespace else {}
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, **where, **metadata}}


def service(namespace: str, name: str, port: int) -> dict[str, Any]:
    return named("v1", "Service", name, namespace) | {"spec": {"selector": {"app": name}, "ports": [{"port": port}]}}


def deployment(namespace: str, name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": spec}
    return named("apps/v1", "Deployment", name, namespace) | {
        "spec": {"selector": {"matchLabels": labels}, "template": template}
    }


def pod(user: int, containers: Sequence[Mapping[str, Any]], writable: Mapping[str, str], **more: Any) -> dict[str, Any]:
    """Return a pod's spec that restricted Pod Security admits."""
    security = {"runAsNonRoot": True, "runAsUser": user, "fsGroup": user, "seccompProfile": {"type": "RuntimeDefault"}}
    volumes: list[dict[str, Any]] = [{"name": name, "emptyDir": {}} for name in writable]
    volumes.append({"name": "dags", "configMap": {"name": "dags"}})
    return {"containers": containers, "volumes": volumes, "securityContext": security, "enableServiceLinks": False, **more}


def container(
    name: str, image: str, command: Sequence[str] | None, environment: Mapping[str, str], writable: Mapping[str, str] = WRITABLE
) -> dict[str, Any]:
    mounts: list[dict[str, Any]] = [{"name": volume, "mountPath": path} for volume, path in writable.items()]
    # A whole ConfigMap is a folder of links, in which Airflow finds a loop.
    mounts.append({"name": "dags", "mountPath": f"/mnt/dags/{DAG}.py", "subPath": f"{DAG}.py"})
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "securityContext": CONTAINER_SECURITY,
        "env": [{"name": key, "value": value} for key, value in environment.items()],
        "volumeMounts": mounts,
        **({"command": command} if command else {}),
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
