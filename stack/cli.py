"""The command line, and the only place that prints or chooses an exit code."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from doubles.live.objects import ApiError
from stack import clusters, status, taking_down
from stack import logs as reading
from stack.bringing_up import BringingUp, Up, UpOptions
from stack.configuration import settings_of
from stack.engine import find
from stack.errors import InterruptedUpdateError, NoClusterError, NotUpError, StackError
from stack.narration import described
from stack.operations import Operations
from stack.state import Record, StateFolder
from standalone import command_line
from standalone.interruption import interruptible
from standalone.progress import Progress

COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "white")

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Airflow on Kubernetes, a stack at a time: `local` on any cluster, `dev` and `prod` on AWS.\n\n"
    "`up` brings a stack up and proves it with a run, `preview` says what that would change, `status` and `logs` look at it,\n"
    "`update-image` rolls a new image out, `down` removes all of it. Pulumi does the work; what is run is said.",
)

StackOption = Annotated[str, typer.Option("--stack", help="The stack, as in Pulumi.<stack>.yaml.")]
ContextOption = Annotated[
    str | None, typer.Option(help="Context of your kubeconfig.", show_default="KUBECONFIG, else the cluster of make cluster")
]
DEFAULT_STACK = "local"


@app.command()
def up(
    stack: StackOption = DEFAULT_STACK,
    context: ContextOption = None,
    port: Annotated[
        int | None, typer.Option(min=1024, max=65535, help="Port on this machine.", show_default="8080, or the next free one")
    ] = None,
    job: Annotated[str | None, typer.Option(help="The job to run first, as package.job.", show_default="chosen")] = None,
    first_run: Annotated[bool, typer.Option(help="Run one job at the end, to see it succeed.")] = True,
) -> None:
    """Make the cluster, the image and the stack, wait until Airflow is healthy, and run a job. Repeating it changes nothing.

    Exit codes: 0 up; 10 no Pulumi; 11 no cluster; 12 no image; 13 settings; 14 Pulumi could not make something (what was
    made stays); 15 port busy; 16 not healthy in time; 17 the first run failed (stays up); 20 another update is under way;
    130 Ctrl-C.
    """
    console = Console()
    options = UpOptions(context=context, port=port, job=job, first_run=first_run)
    console.print(f"[bold]Airflow on Kubernetes[/], stack {escape(stack)}", highlight=False)
    with interruptible():
        try:
            made = BringingUp(stack, StateFolder(), options, Progress(console)).run()
        except KeyboardInterrupt as error:
            raise InterruptedUpdateError(
                "interrupted: what was made stays", f"Go on: make up STACK={stack}. Or remove it: make down STACK={stack}"
            ) from error
    _summary(console, stack, made)


@app.command()
def preview(stack: StackOption = DEFAULT_STACK, context: ContextOption = None) -> None:
    """Say what `up` would change, and change nothing. The image is not built: its reference is that of the last `up`.

    Exit codes: 0; 10 no Pulumi; 11 no cluster; 13 settings; 14 Pulumi refuses.
    """
    console = Console()
    folder, settings = StateFolder(), settings_of(stack)
    record = folder.read(stack) or Record(namespace=settings.namespace)
    engine = find(settings.platform)
    progress = Progress(console)
    progress.say(f"  Pulumi: {engine.sentence}")
    target = clusters.look(settings, record, context=context) if settings.platform == "kubernetes" else None
    progress.say(f"  pulumi preview --stack {stack} --diff")
    opened = Operations.opened(
        stack,
        engine,
        folder,
        progress,
        more_environment=target.environment if target else {},
        config=clusters.config(target, record.image) if target else {},
    )
    with opened as operations:
        changes = operations.preview(lambda line: console.print(line, markup=False, highlight=False, soft_wrap=True))
    console.print(f"[bold]{described(changes)}[/]" if changes else "[green]✓[/] Nothing would change.", highlight=False)


@app.command("update-image")
def update_image(
    stack: StackOption = DEFAULT_STACK,
    context: ContextOption = None,
) -> None:
    """Build the image anew if anything in it changed, migrate the database, and roll the pods. Running tasks finish.

    Exit codes as those of `up`.
    """
    console = Console()
    if StateFolder().read(stack) is None:
        raise NotUpError(f"the stack {stack} is not up", f"Bring it up: make up STACK={stack}")
    with interruptible():
        made = BringingUp(stack, StateFolder(), UpOptions(context=context, first_run=False), Progress(console)).run()
    console.print("The pods run the new image." if made.changed else "The image is the same: nothing changed.")


@app.command()
def down(
    stack: StackOption = DEFAULT_STACK,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete data without asking.")] = False,
) -> None:
    """Remove all of the stack, its data too, after a question. The cluster stays.

    Exit codes: 0 removed; 3 there is no such stack; 14 something could not be removed; 18 nobody agreed; 20 an update is
    under way.
    """
    console = Console()

    def confirm(volumes: Sequence[str]) -> bool:
        listed = ", ".join(volumes) or "no volumes"
        console.print(f"This removes the stack {stack} with its database, runs and logs: {listed}.", highlight=False)
        return yes or (sys.stdin.isatty() and typer.confirm("Remove it?"))

    cluster_down = taking_down.down(stack, StateFolder(), Progress(console), confirm=confirm)
    console.print("Removed." + (f" The cluster is still there: {cluster_down}" if cluster_down else ""), highlight=False)


@app.command("status")
def show_status(
    stack: StackOption = DEFAULT_STACK,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Show pods, versions, health, DAGs, and DAG files that do not import.

    Exit codes: 0 healthy, 1 not healthy, 3 there is no such stack, 11 its cluster does not answer.
    """
    record = _record(stack)
    target = clusters.find(record.kubeconfig, record.context)
    report = status.look(record, target)
    if as_json:
        typer.echo(report.to_json())
    else:
        _run(f"{target.kubectl} -n {record.namespace} get pods")
        status.show(report, Console())
    if not report.healthy:
        raise StackError("Airflow is not healthy", f"See why: make logs STACK={stack}. Go on with it: make up STACK={stack}")


@app.command()
def logs(
    component: Annotated[
        str | None, typer.Argument(help=f"One of {', '.join(reading.COMPONENTS)}.", show_default="all")
    ] = None,
    stack: StackOption = DEFAULT_STACK,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is added, until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the last lines of each.")] = 20,
) -> None:
    """Show the pods' logs. Those of tasks are in Airflow's page."""
    if component is not None and component not in reading.COMPONENTS:
        raise typer.BadParameter(f"{component}: expected one of {', '.join(reading.COMPONENTS)}")
    record = _record(stack)
    target = clusters.find(record.kubeconfig, record.context)
    selector = f" -l app.kubernetes.io/component={component}" if component else " -l app.kubernetes.io/part-of=airflow"
    flags = f"{selector} --all-containers --prefix --tail {lines}{' --follow' if follow else ''}"
    _run(f"{target.kubectl} -n {record.namespace} logs{flags}")
    console, colours = Console(), dict[str, str]()

    def tell(who: str, line: str) -> None:
        colour = colours.setdefault(who, COLOURS[len(colours) % len(COLOURS)])
        console.print(f"[{colour}]{who:<30}[/]", end="")
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    for who, line in reading.last_lines(target, record.namespace, component, lines):
        tell(who, line)
    if follow:
        try:
            for who, line in reading.follow(target, record.namespace, component):
                tell(who, line)
        except KeyboardInterrupt:
            return


def main() -> int:
    """Run the command line and return its exit code."""
    return command_line.run(_run_app, StackError, details_in=StateFolder().root)


def _run_app() -> None:
    try:
        app()
    except ApiError as error:
        raise NoClusterError(f"the API server refused: {error}", "See: make status") from error


def _record(stack: str) -> Record:
    record = StateFolder().read(stack)
    if record is None:
        raise NotUpError(f"there is no stack {stack} of this checkout", f"Bring it up: make up STACK={stack}")
    return record


def _run(command: str) -> None:
    Console(stderr=True).print(f"[dim]$ {escape(command)}[/]", highlight=False, soft_wrap=True)


def _summary(console: Console, stack: str, made: Up) -> None:
    if not made.changed:
        console.print("  [green]✓[/] Nothing changed: the stack was as it should be.")
    kubectl = escape(f"{made.target.kubectl} -n {made.record.namespace}")
    console.print(
        f"""
  [bold]Airflow is up:[/] {made.record.url}
  user      {escape(made.username)}
  password  {escape(made.password)}
            {kubectl} get secret airflow-admin -o jsonpath='{{.data.password}}' | base64 -d

  Change a job    then: make update-image STACK={stack}
  Look            make status STACK={stack}, make logs STACK={stack} COMPONENT=scheduler
  Remove          make down STACK={stack}
""",
        highlight=False,
        soft_wrap=True,
    )
