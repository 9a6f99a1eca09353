"""What ``--help`` says beyond the options: what a command is for, examples, and what its exit codes mean."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from dagsync.errors import EXIT_BUG, EXIT_INTERRUPTED, EXIT_PROBLEMS, EXIT_USAGE, DagsyncError

PLACES = (3, 5, 6)
"""Exit codes of what reads packages and writes DAG files."""


@dataclass(frozen=True, slots=True)
class Page:
    """What there is to say about one command."""

    text: str = ""
    examples: tuple[tuple[str, str], ...] = ()
    """What one wants, and the arguments that do it."""

    exit_codes: Mapping[int, str] = field(default_factory=dict[int, str])
    """Codes this command may end with, beside those of all commands; an empty text means what the code always means."""


def same(*codes: int) -> dict[int, str]:
    """Return exit codes that mean what they always mean."""
    return dict.fromkeys(codes, "")


MANUAL: dict[str, Page] = {
    "discover": Page(
        "Sources are read, never imported: a job whose libraries are not installed here is found, and no code runs. To a pipe "
        "it prints one line per job, separated by tabs: DAG id, what starts it, description.",
        (("every job and problem, for a program", "discover --json"), ("another tree", "discover --packages-root ./packages")),
        same(1, 3),
    ),
    "generate": Page(
        "The DAGs of jobs that are gone stay. Otherwise it does what sync does.",
        (("DAG files for a look", "generate --packages-root ./packages --dags-dir /tmp/dags -v"),),
        same(1, *PLACES),
    ),
    "sync": Page(
        "Files are replaced at one instant each and only if their content changes. A job with a problem keeps its last good "
        "DAG and stops nobody else's. Only files dagsync wrote are ever touched, and if more than half of all DAGs would go, "
        "they stay until it is allowed. Syncs of one folder wait for each other; the kernel frees the lock of one that is "
        "killed. With --watch it stays and runs until SIGTERM or SIGINT, which lets a sync under way end first.",
        (
            ("once", "sync -v"),
            ("in a pod, with probes and metrics", "sync --watch --interval 60 --health-port 8081 --log-format json"),
            ("where healthy jobs are enough", "sync --exit-zero"),
            ("what is published, within seconds", "sync --source s3://bucket/etl --watch"),
        ),
        same(1, 3, 4, 5, 6, 9, 10, 11, 13),
    ),
    "plan": Page(
        "Nothing is written and no lock is taken.",
        (
            ("what a sync would do", "plan"),
            ("fail a build if the DAG folder is not up to date", "plan --check"),
            ("a comment for a pull request", "plan --markdown > comment.md"),
        ),
        same(1, 3, 4, 7),
    ),
    "validate": Page(
        "Reads every job, renders every DAG file into a temporary folder and, where Airflow is installed, lets Airflow parse "
        "them as its dag-processor would, in a process and a home folder of its own, without a database. Values that would "
        "change from parse to parse are errors. Jobs are not imported.",
        (
            ("before a commit", "validate --packages-root ./packages"),
            ("in CI, never without Airflow", "validate --airflow require"),
        ),
        {1: "Some job has a problem, or Airflow does not take its DAG.", **same(3, 17)},
    ),
    "status": Page(
        "Reads what the last sync left, and waits for nobody.",
        (("for people", "status"), ("for programs", "status --json"), ("tolerate an hour", "status --max-age 3600")),
        {1: "The last sync was too long ago, or left problems."},
    ),
    "run": Page(
        "The job runs as its Airflow task would run it: in a process of its own with its own working directory, without "
        "Airflow's secrets, and with the arguments of its declaration if none are given. Needs no Airflow.",
        (("with its own arguments", "run sales.load_orders"), ("with others", "run sales.load_orders -- --date 2026-01-01")),
        {
            0: "The job succeeded.",
            1: "The job raised an exception, or ended with a text or with code 1.",
            8: "The job cannot be started.",
            **same(15, 18),
        },
    ),
    "environments": Page(
        "Made once for the bytes of a lock and kept: by the first job that needs one, or by build where the image is made, so "
        "that no job waits for an index at night. Where uv is installed it does the work, else venv and pip.",
        (("in the image", "environments build"), ("what packages bring", "environments --json")),
        {1: "Some lock is wrong, or its environment cannot be made.", **same(3)},
    ),
    "new": Page(
        "Writes a job that runs and passes validate, and the package around it if there is none. Files that exist are left "
        "alone.",
        (("a job", 'new sales load_orders --description "Load yesterday\'s orders"'),),
        same(6, 16),
    ),
    "completion": Page(
        "Prints a script for the shell to read.",
        (
            ("bash, in ~/.bashrc", "source <(dagsync completion bash)"),
            ("zsh, in ~/.zshrc after compinit", "source <(dagsync completion zsh)"),
            ("fish", "dagsync completion fish > ~/.config/fish/completions/dagsync.fish"),
        ),
    ),
    "publish": Page(
        "The archive is named by the hash of its content and the pointer to it is moved last: a reader sees the version before "
        "or this one, whole. The same packages are the same version, and are uploaded once.",
        (("from CI", "publish --store s3://bucket/packages"), ("keep ten versions", "publish --keep 10")),
        same(3, 10, 11, 12, 14),
    ),
    "rollback": Page(
        "",
        (("to the version before", "rollback --store s3://bucket/packages"), ("to another", "rollback --to 3f2a")),
        same(11, 12, 13),
    ),
    "versions": Page("", (("what was published, newest first", "versions --store s3://bucket/packages"),), same(11)),
    "heartbeat": Page(
        "An exec probe that asks the metadata database once, without importing Airflow. The database is that of "
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN.",
        (("as a liveness probe", "heartbeat SchedulerJob --threshold 60"),),
        {1: "No recent heartbeat, or the database cannot be asked."},
    ),
    "database-user": Page(
        "Logs in with the database's administrator, as DAGSYNC_DATABASE_LOGIN says or with the password in "
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN. Everything the administrator owns there becomes the user's. "
        "Repeated, it changes nothing.",
        (("before the migrations", "database-user airflow_iam"),),
        same(19),
    ),
}
"""Pages by command."""

ENVIRONMENT = {
    "ETL_PACKAGES_ROOT": "Folder of packages: what `--packages-root` is by default, and where tasks find their jobs.",
    "AIRFLOW_DAGS_DIR": "What `--dags-dir` is by default.",
    "DAGSYNC_SKIP_PACKAGES": "Names of packages to leave out, separated by blanks, instead of those left out by default.",
    "DAGSYNC_LOG_FORMAT": "`json` for what `--log-format json` does.",
    "DAGSYNC_SOURCE": "What `sync --source` is by default.",
    "DAGSYNC_STORE": "What `--store` of `publish`, `rollback` and `versions` is by default.",
    "DAGSYNC_CACHE": "What `sync --cache` is by default.",
    "DAGSYNC_ENVIRONMENTS": "Folders of environments of packages, separated by `:`; the first that can be written to has new "
    "ones (default: /opt/airflow/environments, then one below the temporary folder).",
    "DAGSYNC_JOBS_NAMESPACE": 'Namespace of the pods of jobs with `isolation="kubernetes"` (default: etl-jobs).',
    "DAGSYNC_JOBS_IMAGE": "Their image, where a job has none of its own.",
    "DAGSYNC_JOBS_SERVICE_ACCOUNT": "Their service account (default: etl-jobs).",
    "DAGSYNC_JOBS_IMAGE_PULL_POLICY": "`Always`, `IfNotPresent` or `Never` (default: as Kubernetes decides).",
    "DAGSYNC_JOBS_SECRET": "A Secret of that namespace whose keys become their environment variables.",
    "DAGSYNC_JOBS_ON_FINISH_ACTION": "`delete_pod`, or `delete_succeeded_pod` or `keep_pod` to look at pods that ended.",
    "DAGSYNC_TRACEBACK": "Set to anything, a failure dagsync did not foresee shows its traceback.",
    "NO_COLOR": "Set to anything, no colours on a terminal.",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "Metadata database that `heartbeat` asks. Jobs are not given it.",
    "DAGSYNC_DATABASE_LOGIN": "How Airflow's processes, `heartbeat` and `database-user` log in to the metadata database, where "
    "its URL has no password: `secret` reads one from AWS Secrets Manager, `iam` signs a token.",
    "DAGSYNC_DATABASE_SECRET_ARN": "The secret of login `secret`: a JSON object with `username` and `password`.",
    "DAGSYNC_DATABASE_REGION": "AWS region of the database, for login `iam`.",
    "AIRFLOW__CORE__HOSTNAME_CALLABLE": "How `heartbeat` names this host, as Airflow does.",
    "AIRFLOW__LOGGING__LOGGING_LEVEL": "Lowest level of a job's own log records that reach the task's log.",
}
"""What environment variables mean."""


def exit_codes() -> dict[int, str]:
    """Return what every exit code means, where a command does not say otherwise."""
    from dagsync import source_errors as _loaded  # noqa: F401 # pyright: ignore[reportUnusedImport] - for its classes

    codes = {
        0: "All is well.",
        EXIT_PROBLEMS: "Some jobs have problems; the others were done.",
        EXIT_USAGE: "The command line was not understood.",
        EXIT_BUG: "A failure dagsync did not foresee.",
        EXIT_INTERRUPTED: "Ended by SIGINT.",
    }
    for cause in DagsyncError.__subclasses__():
        codes.setdefault(cause.exit_code, " ".join((cause.__doc__ or "").split()))
    return dict(sorted(codes.items()))


def page_exit_codes(page: Page) -> dict[int, str]:
    """Return what the exit codes of a command mean."""
    meanings = exit_codes()
    codes = same(0, EXIT_USAGE) | dict(page.exit_codes)
    return {code: codes[code] or meanings[code] for code in sorted(codes)}


def epilog(page: Page, program: str, width: int) -> str:
    """Return what stands below the options."""
    return "\n\n".join("\n".join(section) for section in (_examples(page, program), _exit_codes(page, width)) if section)


def _examples(page: Page, program: str) -> list[str]:
    if not page.examples:
        return []
    lines = ["examples:"]
    for purpose, arguments in page.examples:
        lines += [f"  # {purpose}", f"  {command_line(arguments, program)}"]
    return lines


def command_line(arguments: str, program: str) -> str:
    """Return an example as one types it."""
    return arguments.replace("dagsync", program) if "dagsync " in arguments else f"{program} {arguments}"


def _exit_codes(page: Page, width: int) -> list[str]:
    return ["exit codes:", *_listed(page_exit_codes(page), width)]


def _listed(codes: Mapping[int, str], width: int) -> Iterator[str]:
    import textwrap

    for code, meaning in codes.items():
        yield from textwrap.wrap(meaning, max(width, 40), initial_indent=f"  {code:<4} ", subsequent_indent=" " * 7)
