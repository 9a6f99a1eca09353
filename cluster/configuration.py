"""The configuration files of the node's programs, as text."""

import json
from typing import Any

from cluster.components import DNS_SERVICE, PAUSE_IMAGE, POD_GATEWAY, POD_NETWORK
from cluster.paths import CONFIGURATION, NODE, PKI, SOCKET

KERNEL = {
    "vm.overcommit_memory": 1,
    "vm.panic_on_oom": 0,
    "kernel.panic": 10,
    "kernel.panic_on_oops": 1,
    "kernel.keys.root_maxkeys": 1_000_000,
    "kernel.keys.root_maxbytes": 25_000_000,
}
"""What the kubelet wants the kernel's settings to be (k8s.io/component-helpers/node/util/sysctl).

The node shows them so, and the machine's stay what they are."""

CONTAINERD = f"""
version = 2
root = "{NODE}/containerd"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
  "io.containerd.tracing.processor.v1.otlp",
]

[grpc]
address = "{SOCKET}"

[plugins."io.containerd.internal.v1.opt"]
path = "{NODE}/containerd/opt"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE_IMAGE}"
# A machine inside another may not lower anybody's score, even as root.
restrict_oom_score_adj = true

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/run/cni"
conf_dir = "{CONFIGURATION}"

[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
default_runtime_name = "runc"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false
"""

AUDIT: dict[str, Any] = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived", "ResponseStarted", "Panic"],
    # Leases and events are renewed all the time, and nobody asks who did.
    "rules": [
        {"level": "None", "resources": [{"group": "coordination.k8s.io"}, {"resources": ["events"]}]},
        {"level": "None", "nonResourceURLs": ["/healthz*", "/livez*", "/readyz*", "/version", "/openapi/*", "/api*"]},
        {"level": "Metadata"},
    ],
}


def files(name: str, cgroup: str) -> dict[str, str]:
    """Return every file but the kubeconfigs by its name; ``cgroup`` is where the kubelet makes those of pods."""
    return {
        "containerd.toml": CONTAINERD,
        "10-pods.conflist": json.dumps(_pod_network(), indent=2),
        "kubelet.json": json.dumps(_kubelet(cgroup), indent=2),
        "kube-proxy.json": json.dumps(_proxy(name), indent=2),
        "audit.json": json.dumps(AUDIT, indent=2),
        # No server: what is no name of this cluster is no name at all, and that at once.
        "resolv.conf": "options ndots:1\n",
    }


def _pod_network() -> dict[str, Any]:
    """Pods are routed to, not bridged, so that each packet between two passes the node's filter."""
    ranges = [[{"subnet": POD_NETWORK, "gateway": POD_GATEWAY}]]
    routed = {
        "type": "ptp",
        "ipam": {"type": "host-local", "dataDir": "/run/cni-addresses", "ranges": ranges, "routes": [{"dst": "0.0.0.0/0"}]},
    }
    host_ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "0.4.0", "name": "pods", "plugins": [routed, host_ports]}


def _kubelet(cgroup: str) -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(PKI / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(PKI / "kubelet-serving.crt"),
        "tlsPrivateKeyFile": str(PKI / "kubelet-serving.key"),
        "containerRuntimeEndpoint": f"unix://{SOCKET}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": cgroup,
        "failCgroupV1": False,
        "failSwapOn": False,
        "clusterDNS": [DNS_SERVICE],
        "clusterDomain": "cluster.local",
        "resolvConf": str(CONFIGURATION / "resolv.conf"),
        "volumePluginDir": str(NODE / "volume-plugins"),
        # The disk is the machine's too: how full it is says nothing of this node.
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "0%",
            "nodefs.inodesFree": "0%",
            "imagefs.available": "0%",
        },
        "nodeStatusReportFrequency": "1m",
        "syncFrequency": "20s",
    }


def _proxy(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clientConnection": {"kubeconfig": str(CONFIGURATION / "kube-proxy.kubeconfig")},
        "clusterCIDR": POD_NETWORK,
        "hostnameOverride": name,
        # Zero leaves the kernel's limits alone, which are the machine's.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }
