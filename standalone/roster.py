"""What runs: the components of one Airflow on this machine and their commands."""

from standalone import processes
from standalone.state import Run, StateFolder

COMMANDS: dict[str, list[str]] = {
    # First, as it takes longest to start.
    "api-server": ["airflow", "api-server"],
    # Without log servers: they listen on every address, and the API server reads the same folder.
    "scheduler": ["airflow", "scheduler", "--skip-serve-logs"],
    "triggerer": ["airflow", "triggerer", "--skip-serve-logs"],
    "dag-processor": ["airflow", "dag-processor"],
    "dagsync": ["dagsync", "sync", "--watch"],
}
COMPONENTS = tuple(COMMANDS)
RUNS_JOBS = ("scheduler", "dag-processor")
"""What imports a person's code, and must not leave ``__pycache__`` in their tree."""


def dead(folder: StateFolder, run: Run) -> list[str]:
    """Return the components that should live and do not."""
    alive = {component.name for component in run.components if processes.find(component, folder.root)}
    return [name for name in COMPONENTS if name not in alive]
