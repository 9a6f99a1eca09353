"""Kubernetes' recommended labels, and names made from them.

Source: Kubernetes documentation, "Recommended Labels".
"""


def labels(component: str, *, name: str = "airflow") -> dict[str, str]:
    """Return the labels that objects of ``component`` carry and select by."""
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/component": component}


def object_labels(component: str, *, name: str = "airflow") -> dict[str, str]:
    """Return ``labels`` and what describes an object without selecting it."""
    return {**labels(component, name=name), "app.kubernetes.io/part-of": "airflow", "app.kubernetes.io/managed-by": "pulumi"}
