"""The images of the local stack in the cluster of the run: built, or as an earlier build left them, and loaded once."""

from pathlib import Path

from rich.console import Console

import cluster
from cluster.paths import SOCKET
from images import archives, building, containerd
from images.building import Request
from images.layout import Image
from images.storage import Storage, default_folder
from standalone.progress import Progress

EXAMPLES = Path(__file__).parents[2] / "examples" / "packages"


def loaded(up: cluster.Cluster, packages: Path = EXAMPLES, storage: Path | None = None) -> dict[str, Image]:
    """Return the images by name: ``airflow`` with ``packages``, ``postgresql``, ``moto``; layers it has are not sent."""
    kept = Storage(storage or default_folder())
    progress = Progress(Console())
    made = building.build(kept, Request(names=building.NAMES, packages=packages), progress)
    with progress.step("load into the cluster"):
        if up.pid is not None:
            containerd.load(kept, list(made.values()), address=Path(f"/proc/{up.pid}/root{SOCKET}"))
        else:
            for name, image in made.items():
                archive = archives.path(kept, name, image)
                archives.write(kept, [image], archive)
                cluster.load(up, archive)
    return made
