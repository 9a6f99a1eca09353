"""Previewing a stack with the real engine, against doubles of its providers: what ``pulumi preview`` costs."""

import itertools
import json
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from moto.server import ThreadedMotoServer

from benchmarks.alternating import Contender
from benchmarks.measuring import BenchmarkError, Cost
from benchmarks.report import Report, Target, cost_table, ratio
from benchmarks.settings import Run, script, take_turns
from doubles.aws import ACCOUNT, REGION
from doubles.aws_live.account import Account
from doubles.cloud import Cloud

NAME = "preview"
STACK = "prod"
OURS = f"pulumi preview --stack {STACK}"
FLOOR, WITH_SDKS = "trivial resources", "trivial resources, same SDKs imported"
ROOT = Path(__file__).parent.parent
LIMIT = 1.3


def run(settings: Run) -> Report:
    """Preview ``prod`` beside a program of as many trivial resources. Raises BenchmarkError without ``make tools``."""
    if not (ROOT / ".tools" / "bin" / "pulumi").exists():
        raise BenchmarkError("no pulumi in .tools/bin: run `make tools`")
    homes = (settings.folder / f"preview-{number}" for number in itertools.count())
    with _account() as account, Cloud.served(account) as cloud:
        environment = {"PULUMI_DEBUG_PROVIDERS": cloud.debug_providers, "PYTHONPATH": str(ROOT)}
        told = json.loads(_preview(homes, environment, STACK).output)
        count, sdks = str(told["resources"]), told["sdks"]
        contenders = [
            Contender(name=OURS, run=lambda: _preview(homes, environment, STACK)),
            Contender(name=FLOOR, run=lambda: _preview(homes, environment, "trivial", count)),
            Contender(name=WITH_SDKS, run=lambda: _preview(homes, environment, "trivial", count, *sdks)),
        ]
        samples = take_turns(settings, contenders, 7)
    walls = samples[OURS].wall.median / samples[WITH_SDKS].wall.median
    return Report(
        name=NAME,
        tables=(cost_table(f"First preview of {count} resources, by the engine against doubles", samples, WITH_SDKS),),
        targets=(
            Target(what=f"{OURS} / {WITH_SDKS}: CPU", measured=ratio(samples, OURS, WITH_SDKS), limit=LIMIT),
            Target(what=f"{OURS} / {WITH_SDKS}: wall", measured=walls, limit=LIMIT),
        ),
        notes=(
            "CPU is that of engine and program during the preview, with the imports of the providers' SDKs, which the last "
            "contender does too. The doubles answer within wall; their CPU is not counted, nor is making the empty stack.",
        ),
    )


@contextmanager
def _account() -> Generator[Account]:
    """Serve what a preview asks of AWS."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield Account(address=f"http://{host}:{port}", number=ACCOUNT, region=REGION)
    finally:
        server.stop()


def _preview(homes: Iterator[Path], environment: Mapping[str, str], *words: str) -> Cost:
    """Preview once in a folder of its own, and return what the contender says that took."""
    cost = script("preview.py", next(homes), *words, environment=environment)
    told: dict[str, Any] = json.loads(cost.output)
    if (wanted := words[1:2]) and [str(told["resources"])] != list(wanted):
        raise BenchmarkError(f"{' '.join(words[:2])}: expected {wanted[0]} resources, found {told['resources']}")
    return replace(cost, cpu_seconds=told["cpu_seconds"], wall_seconds=told["wall_seconds"])
