"""What a command costs before it does anything."""

from benchmarks.alternating import Contender
from benchmarks.measuring import cost_of
from benchmarks.report import Report, Target, cost_table
from benchmarks.settings import DAGSYNC, ENVIRONMENT, Run, python_pass, sync, take_turns

NAME = "start-up"
FLOOR = "python -c pass"
HELP, EMPTY, HEARTBEAT = "dagsync --help", "dagsync sync of an empty tree", "dagsync heartbeat --help"
ALLOWANCE_SECONDS = 0.06


def run(settings: Run) -> Report:
    """Measure help, the sync of an empty tree and the help of ``heartbeat``."""
    root, out = settings.folder / "empty", settings.folder / "dags"
    root.mkdir()
    contenders = [
        Contender(name=FLOOR, run=python_pass),
        Contender(name=HELP, run=lambda: cost_of([DAGSYNC, "--help"], environment=ENVIRONMENT)),
        Contender(name=EMPTY, run=lambda: sync(root, out)),
        Contender(name=HEARTBEAT, run=lambda: cost_of([DAGSYNC, "heartbeat", "--help"], environment=ENVIRONMENT)),
    ]
    samples = take_turns(settings, contenders, 21)
    limit = (2 * samples[FLOOR].cpu.median + ALLOWANCE_SECONDS) * 1000
    targets = tuple(
        Target(what=f"{name}: CPU", measured=samples[name].cpu.median * 1000, limit=limit, unit="ms")
        for name in (HELP, EMPTY, HEARTBEAT)
    )
    table = cost_table("Start of a command", samples, FLOOR)
    notes = (f"The target is twice `{FLOOR}` plus {ALLOWANCE_SECONDS * 1000:.0f} ms.",)
    return Report(name=NAME, tables=(table,), targets=targets, notes=notes)
