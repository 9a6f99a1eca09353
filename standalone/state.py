"""The state folder: where everything of one Airflow on this machine lives, and the record of what runs.

Everything in it is ours to write; deleting the folder after ``make stop`` forgets that Airflow.
"""

import json
import os
import secrets
import tempfile
from base64 import urlsafe_b64encode
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from standalone.command_line import held
from standalone.errors import BusyError, StateFolderError

ADMIN_USERNAME = "admin"


@dataclass(frozen=True, kw_only=True)
class Component:
    """One process that was started, identified so that a recycled pid is never taken for it."""

    name: str
    pid: int
    """Also its session and process group."""

    started: float
    """Creation time, seconds since the epoch, as the kernel gives it."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """What the last start made."""

    packages: str
    """Absolute path of the packages folder."""

    port: int
    """Where the API server listens on 127.0.0.1."""

    began: float
    """Seconds since the epoch."""

    ready: bool = False
    """Whether start got as far as a healthy Airflow."""

    components: tuple[Component, ...] = ()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """Made once per state folder: a new Fernet key would make stored connections unreadable."""

    fernet_key: str
    api_secret_key: str
    jwt_secret: str
    admin_password: str

    @classmethod
    def random(cls) -> "Secrets":
        return cls(
            fernet_key=urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            api_secret_key=secrets.token_urlsafe(32),
            # HS512 wants a key as long as its digest, 64 bytes (RFC 7518, 3.2).
            jwt_secret=secrets.token_urlsafe(64),
            admin_password=secrets.token_hex(8),
        )


class StateFolder:
    """Paths and files of one Airflow.

    Raises StateFolderError when it cannot be made or written.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.database = self.root / "airflow.db"
        self.airflow_config = self.root / "airflow.cfg"
        self.dags = self.root / "dags"
        self.logs = self.root / "logs"
        self.passwords = self.root / "passwords.json"
        self.schema = self.root / "schema.json"
        self._run = self.root / "run.json"
        self._secrets = self.root / "secrets.json"
        self._lock = self.root / "standalone.lock"

    def prepare(self) -> None:
        """Make the folder, for this user only, and what Airflow expects to find in it."""
        # Both go into SQLAlchemy URLs and Airflow's settings, which give these characters a meaning.
        if found := set(str(self.root)) & set("?#%$"):
            raise StateFolderError(
                f"{self.root}: a state folder's path cannot hold {' '.join(sorted(found))}", "Give another one with --state."
            )
        try:
            if self.root.is_dir() and any(self.root.iterdir()) and not self.is_ours():
                raise StateFolderError(
                    f"{self.root}: expected a new or empty folder or one made here, found other files",
                    "Nothing in it was touched. Give another one with --state DIR.",
                )
            self.root.mkdir(parents=True, exist_ok=True)
            self._lock.touch()
            for folder in (self.dags, self.logs):
                folder.mkdir(exist_ok=True)
            self.root.chmod(0o700)
            # Without a file Airflow writes one, with secrets of its own, from four processes at once.
            write_private(self.airflow_config, "# Every setting comes from the environment: see standalone/environment.py\n")
        except OSError as error:
            raise StateFolderError(
                f"{self.root}: cannot write the state folder: {error.strerror}",
                "Make it writable for this user, or give another one with --state DIR.",
            ) from error

    def is_ours(self) -> bool:
        """Return whether ``prepare`` made this folder: only then is anything in it overwritten or removed."""
        return self._lock.is_file()

    def component_log(self, name: str) -> Path:
        """Return the file a component's output goes to."""
        return self.logs / f"{name}.log"

    def read_run(self) -> Run | None:
        """Return the record of the last start; ``None`` if there is none, or it is not readable as one."""
        try:
            return TypeAdapter(Run).validate_json(self._run.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    def write_run(self, run: Run) -> None:
        write_private(self._run, json.dumps(asdict(run), indent=2) + "\n")

    def read_secrets(self) -> Secrets:
        """Return the secrets, making them the first time."""
        try:
            found = TypeAdapter(Secrets).validate_json(self._secrets.read_bytes())
        except FileNotFoundError:
            found = Secrets.random()
            write_private(self._secrets, json.dumps(asdict(found), indent=2) + "\n")
        except ValidationError as error:
            raise StateFolderError(
                f"{self._secrets}: not the secrets that were written there",
                f"Delete {self.root} to begin anew (this forgets runs and connections).",
            ) from error
        write_private(self.passwords, json.dumps({ADMIN_USERNAME: found.admin_password}) + "\n")
        return found

    def locked(self) -> AbstractContextManager[None]:
        """Keep a second start or stop out."""
        return held(
            self._lock,
            BusyError(
                f"{self.root}: another start or stop is under way",
                "Wait for it, or end it with Ctrl-C where it runs; then try again.",
            ),
        )


def write_private(path: Path, text: str) -> None:
    """Replace a file atomically, readable and writable by this user only."""
    # mkstemp's files are 0600 from the start, so no moment has them open to others.
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
