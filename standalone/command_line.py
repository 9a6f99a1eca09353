"""What the command lines of this repository have in common: failures of two sentences, and one command at a time."""

import fcntl
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.markup import escape


class ActionableError(Exception):
    """Failure a person can act on: what was expected and found, then a line with the fix."""

    exit_code = 1

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(f"{problem}\n  {fix}")


def run(
    app: Callable[[], object],
    failure: type[ActionableError],
    *,
    os_error_fix: str | None = None,
    details_in: Path | None = None,
) -> int:
    """Run a command line and return its exit code: that of a ``failure``, which is said.

    ``os_error_fix`` is said after what the operating system refuses; without it, that is unexpected like the rest.
    The traceback of what nobody expected is kept in the folder ``details_in``; without one, it is raised.
    """
    try:
        app()
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else int(done.code is not None)
    except failure as error:
        _say_error(str(error))
        return error.exit_code
    except Exception as error:  # the last resort of a command line
        if os_error_fix and isinstance(error, OSError):
            where = f"{error.filename}: " if error.filename else ""
            _say_error(f"{where}{error.strerror or error}\n  {os_error_fix}")
        elif details_in:
            _say_error(f"{type(error).__name__}: {error}\n  This should not happen. {_keep_traceback(details_in)}")
        else:
            raise
        return 1
    return 0


@contextmanager
def held(lock: Path, busy: ActionableError) -> Generator[None]:
    """Keep other commands out, or raise ``busy``. The kernel lets go when this process ends, however it ends."""
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise busy from error
        yield


def _say_error(text: str) -> None:
    Console(stderr=True).print(f"[bold red]error:[/] {escape(text)}", highlight=False, soft_wrap=True)


def _keep_traceback(folder: Path) -> str:
    path = folder / "error.txt"
    try:
        path.write_text(traceback.format_exc(), encoding="utf-8")
    except OSError:
        return "The state folder is not writable, so the details are lost."
    return f"The details are in {path}"
