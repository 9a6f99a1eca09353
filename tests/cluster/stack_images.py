"""The images of the local stack in the cluster of the run: built, or as an earlier build left them, and loaded once."""

from pathlib import Path

from rich.console import Console

import cluster
from images import building
from images.building import Request
from images.layout import Image
from images.storage import Storage, default_folder
from stack.images import load
from standalone.progress import Progress

EXAMPLES = Path(__file__).parents[2] / "examples" / "packages"


def loaded(up: cluster.Cluster, packages: Path = EXAMPLES, storage: Path | None = None) -> dict[str, Image]:
    """Return the images by name: ``airflow`` with ``packages``, ``postgresql``, ``moto``; layers it has are not sent."""
    kept = Storage(storage or default_folder())
    progress = Progress(Console())
    made = building.build(kept, Request(names=building.NAMES, packages=packages), progress)
    with progress.step("load into the cluster"):
        for name, image in made.items():
            load(up, kept, name, image)
    return made
