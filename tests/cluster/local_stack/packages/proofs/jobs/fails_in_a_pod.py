"""Fail with a reason, in a pod of its own."""

from dagsync import Job, Resources


def main(argv: list[str]) -> int:
    print("four rows are missing")
    return 4


JOB = Job(main, "Fails in a pod", isolation="kubernetes", resources=Resources(cpu="50m", memory="256Mi"), retries=0)
