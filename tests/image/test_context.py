"""What decides the tag of an image, and what the builder is given."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from images import context
from images.errors import PackagesError


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    jobs = tmp_path / "tree" / "sales" / "jobs"
    jobs.mkdir(parents=True)
    (jobs.parent / "__init__.py").touch()
    (jobs / "load.py").write_text("JOB = (print, 'Load')\n")
    return tmp_path / "tree"


def tag(packages: Path) -> str:
    return context.digest(context.airflow_files(packages))


@pytest.mark.parametrize(
    "change",
    [
        lambda jobs: (jobs / "load.py").write_text("JOB = (print, 'Other')\n"),
        lambda jobs: (jobs / "load.py").rename(jobs / "store.py"),
        lambda jobs: (jobs / "load.py").chmod(0o755),
        lambda jobs: (jobs / "more.sql").touch(),
        lambda jobs: (jobs / "load.py").unlink(),
    ],
    ids=["content", "name", "executable", "more", "less"],
)
def test_another_content_is_another_tag(packages: Path, change: Callable[[Path], object]) -> None:
    before = tag(packages)
    change(packages / "sales" / "jobs")
    assert tag(packages) != before


@pytest.mark.parametrize("ignored", ["__pycache__/load.cpython-312.pyc", ".env", ".git/HEAD", "x.db"])
def test_what_stays_out_of_the_image_stays_out_of_its_tag(packages: Path, ignored: str) -> None:
    before = tag(packages)
    path = packages / "sales" / "jobs" / ignored
    path.parent.mkdir(exist_ok=True)
    path.write_text("anything")
    assert tag(packages) == before


def test_times_and_place_do_not_count(packages: Path) -> None:
    before = tag(packages)
    os.utime(packages / "sales" / "jobs" / "load.py", (1, 1))
    assert tag(packages) == before
    assert tag(packages.rename(packages.with_name("elsewhere"))) == before


def test_what_else_decides_the_build_decides_the_tag(packages: Path) -> None:
    files = context.airflow_files(packages)
    assert len({context.digest(files), context.digest(files, "BASE_IMAGE=a"), context.digest(files, "BASE_IMAGE=b")}) == 3


def test_staged_context_is_the_same_for_the_same_content(packages: Path, tmp_path: Path) -> None:
    script = packages / "sales" / "run.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o750)

    def seen() -> dict[str, tuple[int, float]]:
        with context.staged(context.airflow_files(packages), tmp_path) as root:
            assert (root / "packages/sales/jobs/load.py").read_text() == "JOB = (print, 'Load')\n"
            return {
                path.relative_to(root).as_posix(): (stat.S_IMODE(path.stat().st_mode), path.stat().st_mtime)
                for path in root.rglob("*")
            }

    first = seen()
    (packages / "sales" / "jobs" / "load.py").touch()
    assert seen() == first
    assert {name for name in first if not name.startswith(("packages", "dagsync", "image", "requirements"))} == {
        "LICENSE",
        "README.md",
        "pyproject.toml",
    }
    assert (first["packages/sales/run.sh"][0], first["packages/sales/jobs/load.py"][0]) == (0o755, 0o644)
    assert {time for _, time in first.values()} == {context.MODIFIED}
    assert not list(tmp_path.glob("context-*")), "nothing is left"


def test_missing_packages_are_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(PackagesError, match=r"nothing is not a folder.*\n  For the examples: make image PACKAGES="):
        context.airflow_files(tmp_path / "nothing")


@pytest.mark.parametrize(("name", "lock"), [("airflow", "airflow-image.txt"), ("moto", "moto-image.txt"), ("postgresql", None)])
def test_stand_ins_are_given_all_they_copy(name: str, lock: str | None) -> None:
    files = context.stand_in_files(name, lock)
    lines = files["Dockerfile"].read_text().splitlines()
    copied = {name for line in lines if line.startswith("COPY") for name in line.split()[1:-1] if not name.startswith("--")}
    assert copied == set(files) - {"Dockerfile"}
    if lock:
        assert "--hash=sha256:" in files["requirements.txt"].read_text()
        assert files["Dockerfile"].read_text().count("--require-hashes") == 2
