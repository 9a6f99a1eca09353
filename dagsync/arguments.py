"""The arguments of all commands, with defaults taken from the environment.

Made with argparse, because ``sync`` and ``heartbeat`` run every few seconds in every pod: typer 0.29 imports pydantic to
convert the first option, 0.25 s of CPU where an unchanged sync of ten thousand jobs needs 0.1.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

from dagsync.authoring_arguments import add_authoring_commands
from dagsync.errors import PlanNotEmptyError
from dagsync.help_text import Parser, formatter, with_page
from dagsync.outcome import DEFAULT_SKIPPED_PACKAGES
from dagsync.store_arguments import DEFAULT_POLL_SECONDS, add_source, add_store_commands, fetched_problem

DEFAULT_PACKAGES_ROOT = "/app/packages"
DEFAULT_DAGS_DIR = "/opt/airflow/dags"
DEFAULT_INTERVAL_SECONDS = 300.0
DEFAULT_HEALTH_HOST = "0.0.0.0"  # noqa: S104 - the kubelet probes pods by their address
JOB_TYPES = ("SchedulerJob", "DagProcessorJob", "TriggererJob")


def parse(arguments: list[str], environment: Mapping[str, str], program: str) -> argparse.Namespace:
    """Return the parsed arguments. A wrong usage is printed and raises ``SystemExit(2)``."""
    top = parser(environment, program)
    ours, job_arguments = _split(arguments)
    parsed, unknown = top.parse_known_args(ours)
    if unknown:
        hint = "; those of the job come after --" if parsed.command == "run" else ""
        top.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
    parsed.arguments = job_arguments
    if parsed.command == "sync" and parsed.interval is None:
        parsed.interval = DEFAULT_POLL_SECONDS if parsed.source else DEFAULT_INTERVAL_SECONDS
    if parsed.command == "run" and (problem := fetched_problem(parsed)):
        top.error(problem)
    if parsed.command == "sync" and not parsed.watch:
        for option, value in (("--health-port", parsed.health_port), ("--poll", parsed.poll or None)):
            if value is not None:
                top.error(f"argument {option}: only goes with --watch")
    return parsed


def _split(arguments: list[str]) -> tuple[list[str], list[str] | None]:
    """Return the arguments before and after ``run``'s ``--``, which argparse treats differently from version to version."""
    if arguments[:1] != ["run"] or "--" not in arguments:
        return arguments, None
    end = arguments.index("--")
    return arguments[:end], arguments[end + 1 :]


def parser(environment: Mapping[str, str], program: str) -> argparse.ArgumentParser:
    """Return the parser of all commands, with defaults taken from ``environment``."""
    top = Parser(
        program,
        description="Turns the ETL jobs of a monorepo into Airflow DAGs.",
        allow_abbrev=False,
        formatter_class=formatter,
    )
    commands = top.add_subparsers(prog=program, dest="command", required=True, metavar="COMMAND")

    def bare(name: str, description: str) -> argparse.ArgumentParser:
        made = commands.add_parser(
            name, help=description, description=description, allow_abbrev=False, formatter_class=formatter
        )
        return with_page(made, name)

    def placed(name: str, description: str, *, packages: bool, target: bool) -> argparse.ArgumentParser:
        made = bare(name, description)
        if packages:
            made.add_argument(
                "--packages-root",
                type=Path,
                metavar="DIR",
                default=Path(environment.get("ETL_PACKAGES_ROOT") or DEFAULT_PACKAGES_ROOT),
                help="folder that holds the packages (ETL_PACKAGES_ROOT; default: %(default)s)",
            )
        if target:
            made.add_argument(
                "--dags-dir",
                type=Path,
                metavar="DIR",
                default=Path(environment.get("AIRFLOW_DAGS_DIR") or DEFAULT_DAGS_DIR),
                help="folder Airflow reads DAG files from (AIRFLOW_DAGS_DIR; default: %(default)s)",
            )
        return made

    def command(name: str, description: str, *, writes: bool) -> argparse.ArgumentParser:
        made = placed(name, description, packages=True, target=writes)
        _add_skip_package(made)
        if writes:
            made.add_argument(
                "--group-by",
                choices=("package", "job"),
                default="package",
                help="one DAG file per package, or per job, which costs Airflow ten times the CPU (default: %(default)s)",
            )
        return made

    def removal(made: argparse.ArgumentParser) -> None:
        made.add_argument(
            "--clean",
            action=argparse.BooleanOptionalAction,
            default=True,
            help="remove the DAGs of jobs that are gone (default: yes)",
        )
        made.add_argument(
            "--allow-mass-removal", action="store_true", help="remove DAGs even if they are more than half of all"
        )

    discover = command("discover", "List the jobs of all packages, and what is wrong with any.", writes=False)
    discover.add_argument("--json", action="store_true", help='print {"jobs": [...], "problems": [...]}')

    generate = command("generate", "Write the DAG files of all jobs and remove no DAG.", writes=True)
    sync = command("sync", "Make the DAG files match the packages: write what changed, remove what is gone.", writes=True)
    removal(sync)
    sync.add_argument("--watch", action="store_true", help="stay, and sync whenever the packages change")
    sync.add_argument(
        "--interval",
        type=_seconds,
        metavar="SECONDS",
        help=f"with --watch: sync at least this often (default: {DEFAULT_INTERVAL_SECONDS:g}; {DEFAULT_POLL_SECONDS:g} with "
        "--source, where it costs one conditional request)",
    )
    add_source(sync, environment, _seconds)
    sync.add_argument(
        "--poll",
        action="store_true",
        help="with --watch: look at the packages every few seconds, for where changes are not announced to this host; "
        "done without asking on network file systems",
    )
    sync.add_argument(
        "--health-port", type=_port, metavar="PORT", help="with --watch: serve /healthz, /readyz and /metrics on this port"
    )
    sync.add_argument(
        "--health-host",
        default=DEFAULT_HEALTH_HOST,
        metavar="ADDRESS",
        help="with --health-port: address to serve on; 127.0.0.1 for this host alone, :: for IPv6 (default: %(default)s)",
    )
    for made in (generate, sync):
        made.add_argument(
            "--log-format",
            choices=("text", "json"),
            default="json" if environment.get("DAGSYNC_LOG_FORMAT") == "json" else "text",
            help="json: one object per line, with the keys of Airflow's JSON logs (DAGSYNC_LOG_FORMAT; default: text)",
        )
        made.add_argument("--exit-zero", action="store_true", help="report problems of jobs, but exit with 0")
        made.add_argument("-v", "--verbose", action="store_true", help="say what was done to each file")

    plan = command("plan", "Show what a sync would create, update and delete, and change nothing.", writes=True)
    removal(plan)
    plan.add_argument("--check", action="store_true", help=f"exit with {PlanNotEmptyError.exit_code} if there is any change")
    form = plan.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON")
    form.add_argument("--markdown", action="store_true", help="print Markdown for a pull request, as long as GitHub takes")

    add_store_commands(command, bare, environment)
    add_authoring_commands(placed, _seconds)
    for name in ("validate", "environments"):
        _add_skip_package(commands.choices[name])

    text = "Exit with 0 if an Airflow component on this host sent a heartbeat lately, else with 1."
    heartbeat = bare("heartbeat", text)
    heartbeat.add_argument("job_type", choices=JOB_TYPES, metavar="JOB_TYPE", help=", ".join(JOB_TYPES))
    heartbeat.add_argument(
        "--threshold",
        type=_seconds,
        default=30.0,
        metavar="SECONDS",
        help="how old the last heartbeat may be (default: %(default)g)",
    )
    heartbeat.add_argument("--hostname", metavar="NAME", help="host of the component (default: this one, as Airflow names it)")

    text = "Make the user that Airflow logs in to an RDS database as by IAM, and give it the database."
    bare("database-user", text).add_argument("user", metavar="USER", help="its name in PostgreSQL")
    return top


def _add_skip_package(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--skip-package",
        action="append",
        metavar="NAME",
        help=f"package to leave out, repeatable (DAGSYNC_SKIP_PACKAGES; default: {' '.join(DEFAULT_SKIPPED_PACKAGES)})",
    )


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"expected seconds above 0, found {text!r}")
    return seconds


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535, found {text!r}")
    return port
