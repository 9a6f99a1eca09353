"""Forwarding goes on when ``kubectl`` ends, and ends when the cluster is removed."""

import subprocess
import sys
from pathlib import Path

from stack.state import REPOSITORY


def test_a_forwarding_that_ends_is_begun_again_until_the_clusters_kubeconfig_is_gone(tmp_path: Path) -> None:
    kubeconfig, begun = tmp_path / "kubeconfig", tmp_path / "begun"
    kubeconfig.touch()
    # Stands for a kubectl that loses its pod once, and the second time its cluster.
    script = f'echo >> {begun}; [ "$(wc -l < {begun})" -lt 2 ] || rm {kubeconfig}'
    command = [sys.executable, "-m", "stack.forwarding", "--", "sh", "-c", script, "kubectl", "--kubeconfig", str(kubeconfig)]
    done = subprocess.run(command, cwd=REPOSITORY, timeout=60, check=False)
    assert done.returncode == 0
    assert begun.read_text() == "\n\n"
