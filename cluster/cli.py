"""The command line, and the only place that prints or chooses an exit code."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from cluster import clusters, refusals, status
from cluster.choice import Provider
from cluster.clusters import DEFAULT_NAME
from cluster.errors import ClusterError, InterruptedStartError
from cluster.paths import CLUSTERS
from cluster.record import Cluster
from standalone import command_line
from standalone.interruption import interruptible
from standalone.progress import Progress

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="A Kubernetes cluster on this machine, to run Airflow in.\n\n"
    "`start` uses the context you name or your `KUBECONFIG`; else kind or minikube where Docker answers; else, "
    "on Linux as root, it runs Kubernetes on one node of its own, apart from everything else on the machine. "
    "`load` brings an image, `stop` removes it all.",
)

NameOption = Annotated[str, typer.Option("--name", help="Two clusters of different names do not know of each other.")]
StateOption = Annotated[
    Path | None,
    typer.Option("--state", help="Folder that keeps everything of it, images and volumes too.", show_default=".cluster/NAME"),
]


@app.command()
def start(
    name: NameOption = DEFAULT_NAME,
    state: StateOption = None,
    context: Annotated[str | None, typer.Option(help="Use the cluster of this context; nothing is made or removed.")] = None,
    provider: Annotated[Provider | None, typer.Option(help="What makes the cluster.", show_default="chosen")] = None,
) -> None:
    """Start a cluster, wait until it runs pods, and print how to use it. One that is up is left as it is.

    Exit codes: 0 up; 10 this machine lacks something; 11 state folder unusable; 12 it did not come up (all is removed again);
    14 the named cluster does not answer; 20 another start or stop is under way; 130 Ctrl-C, all is removed again.
    """
    console = Console()
    with interruptible():
        try:
            cluster = clusters.start(name, state, provider=provider, context=context, progress=Progress(console))
        except KeyboardInterrupt as error:
            raise InterruptedStartError(
                "interrupted: what was started is removed again", "Begin anew with: make cluster"
            ) from error
    _summary(console, cluster)


@app.command()
def stop(name: NameOption = DEFAULT_NAME, state: StateOption = None) -> None:
    """Remove the cluster with its pods, volumes and images. A named context is never touched."""
    was_there = clusters.folder_of(name, state).root.exists()
    count = clusters.stop(name, state)
    left = "Removed." if was_there else "There is none."
    Console().print(f"Removed: {count} processes and all they had." if count else left, highlight=False)


@app.command()
def load(
    archive: Annotated[Path, typer.Argument(help="Tar file as docker save, buildah push or skopeo copy write it.")],
    reference: Annotated[
        str | None, typer.Option("--as", help="Name of its only image, as docker.io/library/NAME:TAG.", show_default="its own")
    ] = None,
    name: NameOption = DEFAULT_NAME,
    state: StateOption = None,
) -> None:
    """Load an image archive. Exit codes: 0 loaded, 3 no cluster is up, 13 the archive is not one."""
    console = Console()
    with Progress(console).step(f"load {archive.name}") as step:
        names = clusters.load(clusters.found(name, state), archive, reference)
        step.note = ", ".join(names)


@app.command("status")
def show_status(name: NameOption = DEFAULT_NAME, state: StateOption = None) -> None:
    """Show the cluster's address and, of a node of our own, each program's memory. Exit codes: 0 up, 3 not up."""
    console = Console()
    cluster = clusters.found(name, state)
    if cluster.pid is not None:
        status.show(status.look(clusters.folder_of(name, state)), console)
    _summary(console, cluster)


@app.command("refused")
def show_refused(
    name: NameOption = DEFAULT_NAME,
    state: StateOption = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many of the last.")] = 20,
) -> None:
    """Show what the API server of a node of our own refused, from its audit log: who, what, and why."""
    clusters.found(name, state)
    for refusal in refusals.read(clusters.folder_of(name, state).audit_log)[-lines:]:
        Console().print(str(refusal), markup=False, highlight=False, soft_wrap=True)


def main() -> int:
    """Run the command line and return its exit code."""
    return command_line.run(
        app, ClusterError, os_error_fix=f"Is the disk full, or the folder gone? See: df -h {CLUSTERS.parent}"
    )


def _summary(console: Console, cluster: Cluster) -> None:
    where = (
        f"\n  node      {cluster.node_address}, and this machine is {cluster.host_address} to its pods"
        if cluster.node_address
        else ""
    )
    console.print(
        f"""
  [bold]Use it:[/]   export KUBECONFIG={escape(str(cluster.kubeconfig))}
  context   {escape(cluster.context)}{where}
""",
        highlight=False,
        soft_wrap=True,
    )
