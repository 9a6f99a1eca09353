"""A Kubernetes cluster to run pods in: what ``make cluster``, ``make cluster-load`` and ``make cluster-down`` run.

For tests and other programs::

    import cluster

    with cluster.running("my-tests", Path(tmp) / "cluster") as up:   # start … stop, also when the block raises
        up.kubeconfig          # Path, mode 0600; up.environment is {"KUBECONFIG": …}
        up.node_address        # where NodePorts answer, from this machine; None in somebody else's cluster
        up.host_address        # what pods reach a program on this machine by, where that listens on it
        cluster.load(up, Path("airflow.tar"), "docker.io/library/airflow-control-plane:dev")

``cluster.start`` and ``cluster.stop`` are the two halves; ``start`` returns a cluster that is up already, and ``cluster.find``
the default one if it is up. Images are only those that were loaded: the node has no way to a registry. ``kubectl`` is in
``.tools/bin``. Root and ``make tools`` are needed; ``cluster.ClusterError`` says what is missing.
"""

from cluster.clusters import find, load, running, start, stop
from cluster.errors import ClusterError
from cluster.record import Cluster

__all__ = ["Cluster", "ClusterError", "find", "load", "running", "start", "stop"]
