"""Wheels of a library that nobody else has, and locks of them: no index is asked."""

import base64
import hashlib
import zipfile
from pathlib import Path


def write_wheel(folder: Path, name: str, version: str, source: str) -> str:
    """Write a wheel of one module and return its SHA-256."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": source,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join([*(_row(path, text) for path, text in files.items()), f"{info}/RECORD,,\n"])
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in files.items():
            # The same bytes, and so the same hash, at any time.
            archive.writestr(zipfile.ZipInfo(member), text)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _row(path: str, text: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(text)}\n"


def lock_text(folder: Path, **versions: str) -> str:
    """Return a lock of ``name="version"`` wheels, which are written to ``folder``."""
    pins = "".join(
        f"{name}=={version} \\\n    --hash=sha256:{write_wheel(folder, name, version, f'VERSION = {version!r}')}\n"
        for name, version in versions.items()
    )
    return f"# Made by a test.\n--no-index\n--find-links {folder}\n{pins}"
