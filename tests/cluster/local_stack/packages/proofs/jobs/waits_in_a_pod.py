"""Wait to be told to go on, in a pod of its own, and leave a trace of each start and each end."""

import argparse
from datetime import timedelta

from dagsync import Job, Resources
from proofs.ledger import Ledger


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ledger", help="address of the bucket")
    parser.add_argument("name", help="what this run is called there")
    options = parser.parse_args(argv)
    ledger = Ledger(options.ledger, options.name)
    ledger.write("started")
    ledger.wait_for("go")
    ledger.write("ended")
    return 0


JOB = Job(
    main,
    "Waits in a pod",
    isolation="kubernetes",
    resources=Resources(cpu="50m", memory="256Mi"),
    retries=1,
    retry_delay=timedelta(seconds=1),
    max_active_runs=4,
)
