"""A machine for the life of one cluster: run as process 1 of namespaces that nobody else is in, so that what is seen is ours.

``python -m tests.cluster.machine SCENARIO FOLDER`` prints as JSON what the machine looked like before and after.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from cluster import cgroups
from cluster.paths import StateFolder
from cluster.record import read

SETTINGS = (
    *("vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops", "kernel/keys/root_maxkeys"),
    *("net/ipv4/ip_forward", "net/netfilter/nf_conntrack_max", "net/ipv4/conf/all/route_localnet"),
)
FOLDERS = (
    *("/etc/cni", "/etc/cni/net.d", "/etc/containerd", "/opt", "/run", "/run/netns", "/run/containerd", "/usr/libexec"),
    *("/var/lib/cni", "/var/lib/kubelet", "/var/lib/containerd", "/var/log/pods", "/var/log/containers", "/etc/kubernetes"),
)
KILLED = ("before-the-node", "node", "api-server", "images", "up")
GONE_SECONDS = 60


def look(folder: Path) -> dict[str, object]:
    """Return everything a cluster could leave on a machine."""
    bury()
    return {
        "processes": sorted(map(_command, psutil.pids()[1:])),
        "mounts": Path("/proc/self/mounts").read_text().splitlines(),
        "devices": _output("ip", "-brief", "link"),
        "rules": _output("nft", "list", "ruleset"),
        "routes": _output("ip", "route", "show", "table", "all"),
        "settings": {name: _read(Path("/proc/sys") / name) for name in SETTINGS},
        "folders": {name: sorted(path.name for path in Path(name).iterdir()) for name in FOLDERS if Path(name).is_dir()},
        "state": sorted(str(path) for path in folder.rglob("*")),
        "cgroups": sorted(
            str(path) for one in cgroups.hierarchies() for path in one.glob("acp*") if path.name in _ours(folder)
        ),
    }


def bury() -> None:
    """Do what process 1 of a machine does for orphans."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def start(folder: Path, name: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "cluster", "start", "--provider", "node", "--name", name, "--state", str(folder / name)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate(timeout=400)
    assert process.returncode == 0, output
    return output


def stop(folder: Path, name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cluster", "stop", "--name", name, "--state", str(folder / name)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def two_at_once(folder: Path) -> dict[str, object]:
    began = time.monotonic()
    starts = {name: start(folder, name) for name in ("one", "two")}
    for process in starts.values():
        finish(process)
    seconds = time.monotonic() - began
    one, two = (read(StateFolder(folder / name)) for name in starts)
    assert one
    assert two
    assert one.node_address != two.node_address
    again = finish(start(folder, "one"))
    modes = [oct(path.stat().st_mode & 0o777) for path in (folder / "one", one.kubeconfig)]
    namespaces = {}
    for cluster in (one, two):
        kubectl(cluster.kubeconfig, "create", "namespace", f"only-{cluster.name}")
        namespaces[cluster.name] = kubectl(cluster.kubeconfig, "get", "namespaces", "--output", "name").split()
    stop(folder, "one")
    kubectl(two.kubeconfig, "get", "--raw", "/readyz")
    stop(folder, "two")
    return {"again": again, "modes": modes, "namespaces": namespaces, "seconds": seconds}


def killed(folder: Path, moment: str) -> dict[str, object]:
    """Kill the start and everything it started at a moment, then stop."""
    state = StateFolder(folder / "one")
    reached: dict[str, Callable[[], bool]] = {
        "before-the-node": lambda: (state.root / "node.json").exists(),
        "node": lambda: len(cgroups.pids(state.identity)) > 2,
        "api-server": lambda: (state.logs / "kube-apiserver.log").exists(),
        "images": lambda: (state.root / "coredns.tar").exists(),
        "up": state.record.exists,
    }
    process = start(folder, "one")
    deadline = time.monotonic() + 300
    while not reached[moment]() and time.monotonic() < deadline:
        time.sleep(0.005)
    met = reached[moment]()
    process.kill()
    # In no order, and also what is forked meanwhile.
    while pids := cgroups.pids(state.identity):
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        bury()
    process.communicate()
    stop(folder, "one")
    return {"met": met}


def interrupted(folder: Path) -> dict[str, object]:
    """Press Ctrl-C in the middle of a start."""
    process = start(folder, "one")
    state = StateFolder(folder / "one")
    while not (state.logs / "kubelet.log").exists() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=100)
    kept = state.failed_logs.is_dir()
    stop(folder, "one")
    return {"code": process.returncode, "output": output, "kept": kept}


def kubectl(kubeconfig: Path, *arguments: str) -> str:
    return _output(str(Path(".tools/bin/kubectl").absolute()), "--kubeconfig", str(kubeconfig), *arguments)


def _output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _command(pid: int) -> str:
    return _read(Path(f"/proc/{pid}/cmdline")).replace("\0", " ") or _read(Path(f"/proc/{pid}/comm"))


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _ours(folder: Path) -> set[str]:
    return {StateFolder(folder / name).identity for name in ("one", "two")}


def main() -> None:
    scenario, folder = sys.argv[1], Path(sys.argv[2])
    before = look(folder)
    done = {"two": two_at_once, "interrupted": interrupted}.get(scenario, lambda folder: killed(folder, scenario))(folder)
    deadline = time.monotonic() + GONE_SECONDS
    # The kernel takes a namespace's devices down a moment after its last process.
    while (after := look(folder)) != before and time.monotonic() < deadline:
        time.sleep(0.5)
    print(json.dumps({"before": before, "after": after, "done": done}))


if __name__ == "__main__":
    main()
