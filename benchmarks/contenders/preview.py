"""``preview.py HOME STACK``, or ``preview.py HOME trivial COUNT [SDK...]``: one preview of an empty stack by the real engine.

Providers are those that ``PULUMI_DEBUG_PROVIDERS`` names. Prints JSON: what the preview took of processor and clock, engine and
program together, how many resources it would make, and which SDKs of providers the program imported. Making the empty stack
before is not counted; importing those SDKs is. COUNT resources are of the random provider and say nothing.
"""

import importlib
import json
import os
import resource
import runpy
import shutil
import sys
import time
from pathlib import Path

from pulumi import automation as auto

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECT = "airflow-control-plane"
TRIVIAL = "trivial"


def of_stack() -> None:
    runpy.run_path(str(REPOSITORY / "__main__.py"), run_name="__main__")


def of_nothing(count: int, sdks: list[str]) -> None:
    for sdk in sdks:
        importlib.import_module(sdk)
    from pulumi_random import RandomId

    for number in range(count):
        RandomId(f"nothing-{number}", byte_length=4)


def cpu_seconds() -> float:
    """Return the time of processors that this process took, and those it started and waited for."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def main(home: Path, name: str, words: list[str]) -> None:
    # The program runs in this process: nobody's cluster or account may be reached from it.
    for variable in [variable for variable in os.environ if variable.startswith("AWS_")]:
        del os.environ[variable]
    os.environ |= {"KUBECONFIG": os.devnull}
    os.chdir(REPOSITORY)
    (home / "state").mkdir(parents=True)
    shutil.copy(REPOSITORY / "Pulumi.yaml", home)
    if name != TRIVIAL:
        shutil.copy(REPOSITORY / f"Pulumi.{name}.yaml", home)
    environment = {
        "PULUMI_BACKEND_URL": f"file://{home / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "not a secret: this state is empty",
        "PULUMI_HOME": str(home / "pulumi"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DEBUG_PROVIDERS": os.environ["PULUMI_DEBUG_PROVIDERS"],
    }
    stack = auto.create_stack(
        name,
        project_name=PROJECT,
        program=of_stack if name != TRIVIAL else lambda: of_nothing(int(words[0]), words[1:]),
        opts=auto.LocalWorkspaceOptions(
            work_dir=str(home), env_vars=environment, pulumi_command=auto.PulumiCommand(str(REPOSITORY / ".tools"))
        ),
    )
    cpu, wall = cpu_seconds(), time.perf_counter()
    planned = stack.preview(color="never").change_summary
    took = {"cpu_seconds": cpu_seconds() - cpu, "wall_seconds": time.perf_counter() - wall}
    # The stack itself is among what would be created.
    resources = sum(planned.values()) - 1
    print(json.dumps({**took, "resources": resources, "sdks": sorted(one for one in sys.modules if one.startswith("pulumi_"))}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
