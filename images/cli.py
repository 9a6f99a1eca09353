"""The command line, and the only place that prints or chooses an exit code."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from images import archives, building, containerd, layout
from images.builders import Name
from images.errors import ImagesError
from images.layout import Image
from images.storage import Storage, default_folder
from standalone import command_line
from standalone.progress import Progress

REPOSITORY = Path(__file__).resolve().parent.parent

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="The images a cluster runs.\n\n"
    "`build` makes them, with Docker where it answers, with buildah otherwise; `load` puts them into a cluster's containerd,\n"
    "`export` into archives for anything else, `show` tells what there is, `clean` deletes all of it.\n\n"
    "- **airflow**: Airflow with dagsync and your packages, from image/Dockerfile. Where the official image cannot be pulled,\n"
    "  it stands on one with its layout, made of Debian's and Python's packages.\n"
    "- **postgresql**: the database of the stack *local*, official or, where that cannot be pulled, of Debian's packages.\n"
    "- **moto**: an S3 server for tests.",
)

StorageOption = Annotated[
    Path | None,
    typer.Option(
        "--storage", help="Folder that keeps layers and archives.", show_default="~/.cache/airflow-control-plane/images"
    ),
]
NamesArgument = Annotated[list[str] | None, typer.Argument(help=f"Some of {', '.join(building.NAMES)}.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@app.command()
def build(
    names: NamesArgument = None,
    packages: Annotated[
        Path,
        typer.Option(help="Folder of your packages, each with jobs/*.py. Never written.", show_default="examples/packages"),
    ] = REPOSITORY / "examples" / "packages",
    base: Annotated[
        str | None, typer.Option(help="Build on exactly this image.", show_default="official, or a stand-in")
    ] = None,
    builder: Annotated[Name | None, typer.Option(help="Who builds.", show_default="the first that works")] = None,
    storage: StorageOption = None,
    as_json: JsonOption = False,
) -> None:
    """Build what has changed: airflow and postgresql, or the names given.

    A tag follows the content: what has not changed is not built again, and a changed job changes one small layer.
    A first build with a stand-in takes minutes, later ones seconds.

    Exit codes: 0 built or unchanged; 10 no builder; 11 no base; 12 packages missing; 13 no disk; 14 a step failed;
    15 storage damaged.
    """
    request = building.Request(
        names=_names(names, (building.AIRFLOW_NAME, building.POSTGRESQL_NAME)), packages=packages, base=base, builder=builder
    )
    made = building.build(_storage(storage), request, Progress(Console(stderr=as_json)))
    _report(made, as_json=as_json)


@app.command()
def load(
    names: NamesArgument = None,
    containerd_socket: Annotated[Path, typer.Option("--containerd", help="Socket of the containerd to load into.")] = Path(
        "/run/containerd/containerd.sock"
    ),
    namespace: Annotated[str, typer.Option(help="containerd's namespace; the kubelet looks in k8s.io.")] = containerd.NAMESPACE,
    storage: StorageOption = None,
) -> None:
    """Load into containerd what it has not: after a change of a job, one small layer.

    For images in Docker's engine: `kind load docker-image REFERENCE`, `minikube image load REFERENCE`.

    Exit codes: 0 loaded; 3 nothing of that name was built; 16 containerd does not answer or take it.
    """
    folder = _storage(storage)
    images = _built(folder, names)
    with Progress(Console()).step("load into containerd") as step:
        count = containerd.load(folder, list(images.values()), address=containerd_socket, namespace=namespace)
        step.note = f"{count} blobs were new" if count else "all of it was there"


@app.command()
def export(
    names: NamesArgument = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="One archive for all.", show_default="one each")] = None,
    storage: StorageOption = None,
) -> None:
    """Write archives that containerd, Docker, podman, kind and minikube load, and print their paths.

    Exit codes: 0 written; 3 nothing of that name was built.
    """
    folder = _storage(storage)
    progress = Progress(Console(stderr=True))
    images = _built(folder, names)
    groups = [(output, list(images.values()))] if output else [(archives.path(folder, n, i), [i]) for n, i in images.items()]
    for path, group in groups:
        with progress.step(f"write {path.name[:28]}") as step:
            archives.write(folder, group, path)
            step.note = f"{path.stat().st_size >> 20} MiB"
        typer.echo(path)


@app.command()
def show(storage: StorageOption = None, as_json: JsonOption = False) -> None:
    """Show what was built last. Exit codes: 0, 3 nothing was."""
    _report(_built(_storage(storage), None), as_json=as_json)


@app.command()
def clean(storage: StorageOption = None) -> None:
    """Delete layers, archives and logs. Images in a cluster or in Docker's engine stay."""
    folder = _storage(storage)
    if not folder.exists:
        Console().print("Nothing was built.")
        return
    with Progress(Console()).step("delete"):
        folder.delete()


def main() -> int:
    """Run the command line and return its exit code."""
    return command_line.run(app, ImagesError, os_error_fix="Is the disk full, or the folder not yours? See: df -h")


def _storage(folder: Path | None) -> Storage:
    return Storage(folder or default_folder())


def _names(given: list[str] | None, default: tuple[str, ...]) -> tuple[str, ...]:
    for name in given or ():
        if name not in building.NAMES:
            raise typer.BadParameter(f"{name}: expected some of {', '.join(building.NAMES)}")
    return tuple(dict.fromkeys(given)) if given else default


def _built(storage: Storage, names: list[str] | None) -> dict[str, Image]:
    if given := _names(names, ()):
        return {name: layout.built(storage, name) for name in given}
    found = {name: image for name in building.NAMES if (image := layout.recall(storage, name))}
    return found or {building.AIRFLOW_NAME: layout.built(storage, building.AIRFLOW_NAME)}


def _report(images: dict[str, Image], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({name: asdict(image) for name, image in images.items()}, indent=2))
        return
    console = Console()
    for name, image in images.items():
        console.print(
            f"\n  [bold]{name}[/]  {escape(image.reference)}\n"
            f"    digest  {image.digest}\n    base    {escape(image.base)}\n    in      {image.builder}",
            highlight=False,
            soft_wrap=True,
        )
