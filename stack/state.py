"""The folder that keeps what is known of the stacks of this checkout: Pulumi's state, its passphrase, what ``up`` found."""

import json
import secrets
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from standalone.state import write_private

REPOSITORY = Path(__file__).resolve().parent.parent
DEFAULT_STATE = REPOSITORY / ".pulumi-state"


@dataclass(frozen=True, kw_only=True)
class Record:
    """What the last ``up`` of a stack found and made."""

    namespace: str
    kubeconfig: str | None = None
    """Path; ``None`` where the stack's own provider has it."""

    context: str | None = None
    port: int | None = None
    """Where Airflow is reached on 127.0.0.1."""

    forward_pid: int | None = None
    forward_started: float | None = None
    """Creation time of the process that forwards, so that a recycled pid is never taken for it."""

    first_run: str | None = None
    """The DAG whose run succeeded."""

    image: str | None = None
    """What the pods run, where it was built here."""

    loaded: tuple[str, ...] = ()
    """Images that were loaded into the cluster, as ``reference@digest``."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class StateFolder:
    """Paths and files below one folder."""

    def __init__(self, root: Path = DEFAULT_STATE) -> None:
        self.root = root.resolve()
        self.backend = self.root / "backend"
        self.home = self.root / "home"

    def prepare(self) -> None:
        """Make the folder, for this user alone."""
        for folder in (self.root, self.backend, self.home):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)

    def passphrase_file(self) -> Path:
        """Return the file whose text encrypts the secrets in the state; made once, readable by this user alone."""
        path = self.root / "passphrase"
        if not path.exists():
            write_private(path, secrets.token_urlsafe(32) + "\n")
        return path

    def work(self, stack: str) -> Path:
        """Return the folder that Pulumi takes for the project's."""
        path = self.root / "work" / stack
        path.mkdir(parents=True, exist_ok=True)
        return path

    def locks(self, project: str, stack: str) -> list[Path]:
        """Return Pulumi's lock files of a stack in the file backend."""
        return sorted((self.backend / ".pulumi" / "locks" / "organization" / project / stack).glob("*.json"))

    def forward_log(self, stack: str) -> Path:
        return self.root / f"{stack}-forward.log"

    def read(self, stack: str) -> Record | None:
        try:
            return TypeAdapter(Record).validate_json((self.root / f"{stack}.json").read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    def write(self, stack: str, record: Record) -> None:
        write_private(self.root / f"{stack}.json", json.dumps(asdict(record), indent=2) + "\n")

    def remove_stack_state(self, stack: str) -> None:
        """Delete what Pulumi keeps of a stack in the file backend: there is nothing left that it describes."""
        for path in self.backend.rglob(f"{stack}.json*"):
            path.unlink()
        shutil.rmtree(self.work(stack))

    def forget(self, stack: str) -> None:
        (self.root / f"{stack}.json").unlink(missing_ok=True)
