"""Printing a stack without engine, cluster or account: what ``make render`` costs."""

import sys
from pathlib import Path

from benchmarks.alternating import Contender
from benchmarks.measuring import cost_of
from benchmarks.report import Report, cost_table
from benchmarks.settings import ENVIRONMENT, Run, script, take_turns

NAME = "render"
STACK = "prod"
FLOOR, WITH_SDKS = "trivial resources", "trivial resources, same SDKs imported"
# How many resources the stack has, and which parts of the providers' SDKs the program needs.
_SIZE = """
import sys
from rendering.program import render_stack

print(len(render_stack(sys.argv[1])), *sorted(name for name in sys.modules if name.startswith("pulumi_")))
"""


def run(settings: Run) -> Report:
    """Measure the ``prod`` stack beside a program of as many trivial resources."""
    environment = ENVIRONMENT | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    count, *sdks = cost_of([sys.executable, "-c", _SIZE, STACK], environment=environment).output.split()
    ours = f"python -m rendering {STACK}"
    contenders = [
        Contender(name=ours, run=lambda: cost_of([sys.executable, "-m", "rendering", STACK], environment=environment)),
        Contender(name=FLOOR, run=lambda: script("trivial_program.py", count)),
        Contender(name=WITH_SDKS, run=lambda: script("trivial_program.py", count, *sdks)),
    ]
    samples = take_turns(settings, contenders, 5)
    table = cost_table(f"{count} resources of the {STACK} stack, under mocks", samples, WITH_SDKS)
    return Report(name=NAME, tables=(table,), notes=("Importing the providers' SDKs is not ours to make faster.",))
