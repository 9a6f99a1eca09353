"""Kubernetes on one node of our own: brought up whole or not at all, and removed to the last file."""

import shutil

from cluster import cgroups, network, programs, record
from cluster.api import api_server_of
from cluster.paths import CLUSTERS, StateFolder
from cluster.record import Cluster
from cluster.starting import Starting
from standalone.progress import Progress


def start(name: str, folder: StateFolder, progress: Progress) -> Cluster:
    """Return the cluster of the folder, which is started anew unless it is up and whole.

    Raises ClusterError; whatever was started is removed again.
    """
    folder.root.parent.mkdir(parents=True, exist_ok=True)
    programs.check_machine(folder.root.parent)
    record.prepare(folder)
    with record.locked(folder):
        if cluster := up(folder):
            progress.say(f"The cluster {cluster.name} is up already.")
            return cluster
        if len(list(folder.root.iterdir())) > 1 or cgroups.pids(folder.identity):
            with progress.step("removing what is left"):
                _empty(folder)
        try:
            return Starting(name, folder, progress).bring_up()
        except BaseException:
            _keep_logs(folder)
            _remove(folder)
            raise


def up(folder: StateFolder) -> Cluster | None:
    """Return the folder's cluster if its node runs and its API server answers."""
    cluster = record.read(folder)
    if cluster is None or cluster.pid not in cgroups.pids(folder.identity):
        return None
    with api_server_of(folder, str(cluster.node_address)) as api:
        return cluster if api.is_ready() else None


def stop(folder: StateFolder) -> int:
    """Remove the cluster with everything in it and return how many processes it had. Raises LeftoverError."""
    if not folder.lock.is_file():
        # The folder may have been deleted under its processes.
        count = _remove_from_kernel(folder)
    else:
        with record.locked(folder):
            count = _remove(folder)
    shutil.rmtree(folder.failed_logs, ignore_errors=True)
    if folder.root.parent == CLUSTERS and CLUSTERS.is_dir() and not any(CLUSTERS.iterdir()):
        CLUSTERS.rmdir()
    return count


def _keep_logs(folder: StateFolder) -> None:
    """Leave the logs of a start that failed beside the folder, which goes."""
    if folder.logs.is_dir():
        shutil.rmtree(folder.failed_logs, ignore_errors=True)
        shutil.move(folder.logs, folder.failed_logs)


def _remove(folder: StateFolder) -> int:
    count = _empty(folder)
    shutil.rmtree(folder.root)
    return count


def _empty(folder: StateFolder) -> int:
    """Remove everything but the lock that the caller holds."""
    count = _remove_from_kernel(folder)
    for path in folder.root.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path != folder.lock:
            path.unlink()
    return count


def _remove_from_kernel(folder: StateFolder) -> int:
    count = cgroups.end(folder.identity)
    network.unplug(folder.identity)
    return count
