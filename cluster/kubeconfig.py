"""Files that say where an API server is and who one is there."""

import base64
from pathlib import Path, PurePath
from typing import Any

import yaml

from cluster.certificates import KeyPair


def of_component(server: str, pki: PurePath, user: str) -> str:
    """Return the kubeconfig of a program on the node, which names its certificates' files."""
    cluster = {"server": server, "certificate-authority": str(pki / "ca.crt")}
    return _text("node", cluster, {"client-certificate": str(pki / f"{user}.crt"), "client-key": str(pki / f"{user}.key")})


def of_person(name: str, server: str, authority: Path, pair: KeyPair) -> str:
    """Return a kubeconfig that holds its certificates, with one context: ``name``."""
    cluster = {"server": server, "certificate-authority-data": _encoded(authority)}
    return _text(name, cluster, {"client-certificate-data": _encoded(pair.certificate), "client-key-data": _encoded(pair.key)})


def _text(name: str, cluster: dict[str, str], user: dict[str, str]) -> str:
    content: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    return yaml.safe_dump(content, sort_keys=False)


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
