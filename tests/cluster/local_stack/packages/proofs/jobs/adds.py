"""Add numbers."""

import argparse

from dagsync import Job
from proofs.origin import ORIGIN


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("numbers", type=int, nargs="+")
    print(f"the sum is {sum(parser.parse_args(argv).numbers)}, by {ORIGIN}")
    return 0


JOB = Job(main, "Adds numbers")
