"""Reads and writes the DAG folder: complete files only, one writer at a time."""

import fcntl
import functools
import hashlib
import json
import os
import stat
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from dagsync.errors import TargetLockedError, TargetWriteError
from dagsync.walking import ModuleFile, Signature, signature_of

STATE_FOLDER = ".dagsync"
"""Below the DAG folder, because that is the one place sure to be writable, and on the same volume as the files."""

LOCK_TIMEOUT_SECONDS = 120.0
"""A sync of ten thousand jobs holds the lock for some seconds."""

_HOLDER_BYTES = 128
_DIGEST_BYTES = 16

SETTLED_NS = 50_000_000
"""A file changed less than this before it was listed may change again without a new time stamp (kernels stamp files with the
time of the last tick, at most 10 ms apart), so it is read again next time."""


@contextmanager
def locked(dags_dir: Path, timeout_seconds: float = LOCK_TIMEOUT_SECONDS) -> Generator[None]:
    """Hold the DAG folder, making it if there is none.

    There is no stale lock: the kernel frees it when its holder ends, however it ends, and the file alone means nothing.
    Raises ``TargetLockedError`` after ``timeout_seconds`` and ``TargetWriteError``.
    """
    with writing(dags_dir):
        state = dags_dir / STATE_FOLDER
        state.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(state / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        deadline = time.monotonic() + timeout_seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise TargetLockedError(
                        f"{dags_dir}: another sync, {_written_by(descriptor)}, has held the folder for {timeout_seconds:.0f} s",
                        "wait for it, or end that process: the lock is freed with it",
                    ) from None
                time.sleep(0.02)
        # For people only, as what counts is the kernel's lock. Padded, so that it covers what the last holder wrote.
        holder = f"process {os.getpid()} on {os.uname().nodename}".encode()[:_HOLDER_BYTES].ljust(_HOLDER_BYTES)
        with suppress(OSError):
            os.pwrite(descriptor, holder, 0)
        yield
    finally:
        os.close(descriptor)


def lock_holder(dags_dir: Path) -> str | None:
    """Return which process holds the DAG folder, or ``None`` if no sync is under way."""
    try:
        descriptor = os.open(dags_dir / STATE_FOLDER / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _written_by(descriptor)
    else:
        return None
    finally:
        os.close(descriptor)


def _written_by(descriptor: int) -> str:
    return os.pread(descriptor, _HOLDER_BYTES, 0).decode(errors="replace").strip() or "a process"


@contextmanager
def writing(dags_dir: Path) -> Generator[None]:
    """Turn what the operating system says into ``TargetWriteError``."""
    try:
        yield
    except OSError as error:
        raise TargetWriteError(
            f"{error.filename or dags_dir}: cannot be written: {error.strerror}",
            "the DAG folder needs room and write permission; give it by --dags-dir or AIRFLOW_DAGS_DIR",
        ) from error


def read_regular(path: Path) -> bytes | None:
    """Return the content of a regular file, ``None`` if there is none, and nothing of what is no file of ours.

    A link, a folder or a device in the way reads as empty: it is not ours, so it is left alone.
    """
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return b""
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError:
        return b""


def write_atomically(dags_dir: Path, name: str, content: bytes) -> Signature:
    """Replace ``name`` below ``dags_dir`` so that a reader, or a crash, meets the old content or the new, never a part.

    Returns the signature of the very file written: one looked up by its name later may be that of whatever somebody else
    put there since. The caller holds the lock and calls ``settle`` once all files are written.
    """
    return _replace(dags_dir, name, (content,), durable=True)


def _replace(dags_dir: Path, name: str, pieces: Iterable[bytes], *, durable: bool) -> Signature:
    # Not beside the target and not ending in .py: Airflow must not take it for a DAG file.
    temporary = f"{dags_dir}/{STATE_FOLDER}/next.tmp"
    # No file object, which costs as much again as the calls it makes, and no paths, which cost as much as the rename.
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    try:
        for piece in pieces:
            left = memoryview(piece)
            while left:
                left = left[os.write(descriptor, left) :]
        if durable:
            os.fsync(descriptor)
        # Still open when it gets its name, as that changes its ctime.
        os.replace(temporary, f"{dags_dir}/{name}")  # noqa: PTH105
        return signature_of(os.fstat(descriptor))
    finally:
        os.close(descriptor)


def settle(folder: Path) -> None:
    """Make renames and removals in ``folder`` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_checked(dags_dir: Path, name: str, pieces: Iterable[str]) -> None:
    """Write a document, the pieces of which make JSON on one line, that ``read_checked`` believes only if it is whole.

    Losing it must only cost time. Of ten thousand jobs it has megabytes, of which no copy is made.
    """
    _replace(dags_dir, f"{STATE_FOLDER}/{name}", _with_digest(pieces), durable=False)


def _with_digest(pieces: Iterable[str]) -> Iterator[bytes]:
    digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
    for piece in pieces:
        data = piece.encode()
        digest.update(data)
        yield data
    yield b"\n" + digest.hexdigest().encode()


def read_checked(dags_dir: Path, name: str) -> Any:
    """Return a document of ``write_checked``, or ``None`` if it is missing or damaged."""
    try:
        payload, _, digest = (dags_dir / STATE_FOLDER / name).read_bytes().rpartition(b"\n")
    except OSError:
        return None
    return json.loads(payload) if digest == _digest(payload) else None


@functools.cache
def code_version() -> str:
    """Return what identifies the code at work, so that an upgrade reads and renders everything again."""
    with os.scandir(Path(__file__).parent) as entries:
        found = [(each.name, each.stat()) for each in entries if each.name.endswith(".py")]
    return fingerprint(sorted((name, status.st_mtime_ns, status.st_size) for name, status in found))


def fingerprint(*parts: object) -> str:
    """Return a digest of plain values, or of bytes as they are."""
    pieces = (part if isinstance(part, bytes) else str(part).encode("utf-8", "surrogateescape") for part in parts)
    return _digest(b"\0".join(pieces)).decode()


def is_settled(file: Signature | ModuleFile, listed_ns: int) -> bool:
    """Return whether any later change of the file must show in its signature."""
    limit = listed_ns - SETTLED_NS
    return file.mtime_ns < limit and file.ctime_ns < limit


def signatures(folder: Path, names: Iterable[str]) -> dict[str, list[int] | None]:
    """Return the signatures of files as JSON has them, ``None`` for a missing one."""
    found: dict[str, list[int] | None] = {}
    for name in names:
        try:
            found[name] = list(signature_of(os.lstat(f"{folder}/{name}")))
        except OSError:
            found[name] = None
    return found


def _digest(payload: bytes) -> bytes:
    return hashlib.blake2b(payload, digest_size=_DIGEST_BYTES).hexdigest().encode()
