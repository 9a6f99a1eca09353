"""Tells whether the kernel announces changes below a folder. On network file systems it only knows its own host's."""

import re
from pathlib import Path

_NETWORKED = re.compile(r"nfs4?|cifs|smb[23]?|smbfs|9p|virtiofs|ceph|lustre|glusterfs|gpfs|beegfs|afs|fuse\..+")


def announces_changes(folder: Path, mounts: Path = Path("/proc/self/mounts")) -> bool:
    """Return whether ``folder`` is on a file system whose changes are announced; ``True`` where that cannot be told.

    ``mounts`` is the kernel's table of mounts, see proc_pid_mounts(5).
    """
    try:
        table = mounts.read_text(errors="surrogateescape")
        path = folder.resolve()
    except OSError:
        return True
    fields = (line.split(" ") for line in table.splitlines())
    # Of several mounts on one point, the last hides the others.
    found = [
        (len(point.parts), index, kind) for index, (point, kind) in enumerate(map(_mount, fields)) if path.is_relative_to(point)
    ]
    return not found or _NETWORKED.fullmatch(max(found)[2]) is None


def _mount(fields: list[str]) -> tuple[Path, str]:
    """Return where something is mounted and the type of its file system."""
    point = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), fields[1])
    return Path(point), fields[2]
