"""Stack configurations beside those of the stack files."""

from typing import Any

TASK_PODS = {"executor": "KubernetesExecutor"}
ENDPOINT = "http://storage.default.svc:5000"
IN_BUCKET = {"url": "s3://bucket/packages", "endpointUrl": ENDPOINT, "credentialsSecret": "packages-reader"}
LOGS_IN_BUCKET = {"url": "s3://bucket/logs", "endpointUrl": ENDPOINT, "credentialsSecret": "logs-writer"}


def kubernetes(**sections: Any) -> dict[str, Any]:
    """Return a configuration of the kubernetes platform with these sections."""
    image = {"reference": "registry.example.com/airflow:1"}
    return {f"airflow-control-plane:{name}": value for name, value in {"image": image, **sections}.items()}


def eks(**sections: Any) -> dict[str, Any]:
    """Return a configuration of the eks platform with these sections."""
    given = {f"airflow-control-plane:{name}": value for name, value in {"platform": "eks", **sections}.items()}
    return {"aws:region": "eu-west-1", **given}


def dags(source: str, delivery: str) -> dict[str, Any]:
    """Return the section ``dags``, with a store of its own where packages are not in the image."""
    return {"source": source, "delivery": delivery, **(IN_BUCKET if source == "s3" else {})}
