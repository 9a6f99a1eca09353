"""The least that finding and writing can cost in Python, without doing any of dagsync's work.

``floor.py parse ROOT BLOB OUT`` reads and ``ast.parse``s every job file, then writes the files kept in BLOB, a marshalled
``dict`` of names and bytes. ``floor.py stat ROOT`` walks the tree with one ``stat`` per job file.
"""

# A floor does not pay for pathlib.
# ruff: noqa: PTH103, PTH123

import ast
import contextlib
import marshal
import os
import sys


def jobs(root: str) -> list[os.DirEntry[str]]:
    found: list[os.DirEntry[str]] = []
    with os.scandir(root) as packages:
        for package in packages:
            with os.scandir(f"{package.path}/jobs") as modules:
                found += [module for module in modules if module.name.endswith(".py") and module.name != "__init__.py"]
    return found


def parse(root: str, blob: str, out: str) -> None:
    for job in jobs(root):
        with open(job.path, "rb") as stream:
            source = stream.read()
        with contextlib.suppress(SyntaxError):
            ast.parse(source)
    with open(blob, "rb") as stream:
        files: dict[str, bytes] = marshal.load(stream)
    os.makedirs(out, exist_ok=True)
    for name, content in files.items():
        with open(f"{out}/{name}", "wb") as stream:
            stream.write(content)


def stat(root: str) -> None:
    for job in jobs(root):
        job.stat()


if __name__ == "__main__":
    {"parse": parse, "stat": stat}[sys.argv[1]](*sys.argv[2:])
