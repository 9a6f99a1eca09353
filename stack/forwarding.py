"""``python -m stack.forwarding -- kubectl …``: runs ``kubectl port-forward`` anew whenever it ends.

It holds on to one pod and ends with it, so that without this a rollout would end the address too.
"""

import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from stack.errors import NoClusterError
from stack.state import REPOSITORY

PAUSE_SECONDS = 1.0


def command(*, kubeconfig: str | None, context: str | None, namespace: str, port: int) -> list[str]:
    """Return the command that forwards ``port`` to the api-server. Raises NoClusterError where there is no kubectl."""
    built = REPOSITORY / ".tools" / "bin" / "kubectl"
    kubectl = str(built) if built.exists() else shutil.which("kubectl")
    if kubectl is None:
        raise NoClusterError("there is no kubectl", "Install it: https://kubernetes.io/docs/tasks/tools/. Or: make tools")
    where = [*(["--kubeconfig", kubeconfig] if kubeconfig else []), *(["--context", context] if context else [])]
    return [kubectl, *where, "--namespace", namespace, "port-forward", "service/airflow-api-server", f"{port}:80"]


def keep_running(arguments: Sequence[str]) -> None:
    """Run the command again and again, until this process ends, or the kubeconfig it names is gone with its cluster."""
    kubeconfig = Path(arguments[arguments.index("--kubeconfig") + 1]) if "--kubeconfig" in arguments else None
    while kubeconfig is None or kubeconfig.exists():
        subprocess.run(arguments, stdin=subprocess.DEVNULL, check=False)  # noqa: S603 - words of `command` above
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    keep_running(sys.argv[2:])
