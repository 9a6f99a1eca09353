"""Add numbers in a pod of its own, and tell what the pod is."""

import argparse
import os
import socket
from pathlib import Path

from dagsync import Job, Resources
from proofs.origin import ORIGIN

TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("numbers", type=int, nargs="+")
    print(f"the sum is {sum(parser.parse_args(argv).numbers)}, by {ORIGIN}, in {socket.gethostname()}")
    print(f"user {os.getuid()}, token: {TOKEN.exists()}, root is writable: {os.access('/', os.W_OK)}")
    print("secrets of Airflow:", sorted(name for name in os.environ if name.startswith("AIRFLOW__") and "LOGGING" not in name))
    return 0


JOB = Job(main, "Adds in a pod", isolation="kubernetes", resources=Resources(cpu="50m", memory="256Mi"), retries=0)
