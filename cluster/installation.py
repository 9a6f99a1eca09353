"""What a node's folder holds before it starts: certificates, configuration, and what process 1 is to do."""

import json
import os
from pathlib import Path

from cluster import components, configuration, kubeconfig, network, programs
from cluster.api import server_url
from cluster.certificates import Authority, KeyPair, write_key
from cluster.paths import BUILT, LOGS, NODE, PKI, PROGRAMS, StateFolder
from standalone.state import write_private

BOUND_FOLDERS = {"var-lib": "/var/lib", "var-log": "/var/log"}
"""Folders of the state that the node sees in place of the machine's."""


def write(name: str, folder: StateFolder, cable: network.Cable) -> None:
    """Write all that the node ``name`` starts with: certificates, kubeconfigs, configuration, instructions."""
    for made in (folder.pki, folder.logs, folder.configuration, *(folder.root / one for one in ("volumes", *BOUND_FOLDERS))):
        made.mkdir()
    authority = Authority(folder.pki)
    administrator = _issue(name, folder.pki, authority, cable)
    for file, text in configuration.files(name, f"/{folder.identity}").items():
        (folder.configuration / file).write_text(text, encoding="utf-8")
    url = server_url(cable.node)
    for user in (*components.CONTROLLERS, "kubelet"):
        write_private(folder.configuration / f"{user}.kubeconfig", kubeconfig.of_component(url, PKI, user))
    write_private(folder.kubeconfig, kubeconfig.of_person(name, url, authority.certificate, administrator))
    write_private(folder.root / "node.json", json.dumps(_instructions(name, folder, cable), indent=2))


def _issue(name: str, folder: Path, authority: Authority, cable: network.Cable) -> KeyPair:
    """Make every certificate of the node; common names are those that Kubernetes' own roles are bound to."""
    service = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
    authority.server("kube-apiserver", ("localhost", "127.0.0.1", cable.node, components.API_SERVICE, *service))
    authority.server("etcd")
    authority.server("kubelet-serving", (name, cable.node))
    authority.client("kube-apiserver-etcd", "kube-apiserver-etcd")
    authority.client("kube-apiserver-kubelet", "kube-apiserver-kubelet", "system:masters")
    authority.client("front-proxy-client", "front-proxy-client")
    authority.client("kubelet", f"system:node:{name}", "system:nodes")
    for user in ("kube-controller-manager", "kube-scheduler"):
        authority.server(f"{user}-serving")
    for user in components.CONTROLLERS:
        authority.client(user, f"system:{user}" if user.startswith("kube-") else user)
    write_key(folder / "service-accounts.key")
    return authority.administrator()


def _instructions(name: str, folder: StateFolder, cable: network.Cable) -> dict[str, object]:
    """Return what process 1 of the node does."""
    built = {str(PROGRAMS / program): str((BUILT / program).resolve()) for program in programs.BUILT_PROGRAMS}
    folders = {target: str(folder.root / bound) for bound, target in BOUND_FOLDERS.items()}
    plugins = {"/run/cni": str(programs.cni_folder())}
    path = f"{PROGRAMS}:{programs.search_path(os.environ)}"
    roster = components.components(name, cable.node)
    return {
        "name": name,
        "binds": {str(NODE): str(folder.root), **built, **plugins, **folders},
        "device": network.DEVICE,
        "network": {"address": f"{cable.node}/{cable.prefix}", "gateway": cable.host, "rules": _rules()},
        "kernel": configuration.KERNEL,
        "logs": str(LOGS),
        "environment": {"PATH": path, "HOME": "/run", "TMPDIR": "/run"},
        "programs": {program: {"command": one.command, "after": one.after} for program, one in roster.items()},
    }


def _rules() -> str:
    """Return the node's one rule of its own: what leaves it has its address."""
    return f"""table ip node {{
  chain postrouting {{
    type nat hook postrouting priority srcnat
    oifname "{network.DEVICE}" ip saddr {components.POD_NETWORK} masquerade
  }}
}}
"""
