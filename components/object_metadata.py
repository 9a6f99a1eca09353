"""Metadata of the objects that components make in a namespace."""

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as k8s

from components.labels import object_labels

TAKEN_OVER = {"pulumi.com/patchForce": "true"}
"""For a Secret or a StatefulSet that an ``up`` made and was killed before it wrote that down: the next one takes it over.

The server refuses even the same values by another field manager where it keeps them in another form: it has no
``stringData``, and fills in what ``volumeClaimTemplates`` leave out.
"""


def object_metadata(
    name: pulumi.Input[str],
    namespace: pulumi.Input[str],
    component: str,
    annotations: Mapping[str, pulumi.Input[str]] | None = None,
) -> k8s.meta.v1.ObjectMetaArgs:
    """Return name, namespace and the labels of ``component``."""
    return k8s.meta.v1.ObjectMetaArgs(
        name=name,
        namespace=namespace,
        labels=object_labels(component),
        annotations=dict(annotations) if annotations else None,
    )
