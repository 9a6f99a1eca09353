"""Fail with a reason."""

from dagsync import Job


def main(argv: list[str]) -> int:
    print("three rows are missing")
    return 3


JOB = Job(main, "Fails", retries=0)
