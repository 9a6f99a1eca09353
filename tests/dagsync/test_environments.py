"""A package that brings its own dependencies runs with them and nothing else, and they are made once, whole or not at all."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from shutil import rmtree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagsync.environments import build, prune, ready
from dagsync.errors import VirtualenvError
from dagsync.requirements import lock_of
from tests.dagsync.tree import Monorepo
from tests.dagsync.waiting import until
from tests.dagsync.wheels import lock_text, write_wheel

UV = Path(sys.executable).with_name("uv")
TELLS = """
    import greeting
    from dagsync import Job

    def main(argv):
        print("greeting", greeting.VERSION)

    JOB = Job(main, "Tells which version it has")
"""


class Packages:
    """A monorepo whose packages bring dependencies, and commands that make environments in a folder of its own."""

    def __init__(self, monorepo: Monorepo, folder: Path) -> None:
        self.monorepo, self.wheels, self.made, self.bin = monorepo, folder / "wheels", folder / "environments", folder / "bin"
        self.bin.mkdir()
        (self.bin / "uv").symlink_to(UV)

    def package(self, name: str, lock: str, settings: str = "virtualenv = true", source: str = TELLS) -> None:
        self.monorepo.job(f"{name}.tell", source)
        folder = self.monorepo.packages / name
        (folder / "pyproject.toml").write_text(f"[tool.dagsync]\n{settings}\n")
        (folder / "requirements.txt").write_text(lock)

    def lock(self, **versions: str) -> str:
        return lock_text(self.wheels, **versions)

    @property
    def environment(self) -> dict[str, str]:
        # Nothing of this machine's but a shell's programs.
        return {
            "PATH": f"{self.bin}:/usr/bin:/bin",
            "HOME": str(self.made.parent),
            "DAGSYNC_ENVIRONMENTS": str(self.made),
            "ETL_PACKAGES_ROOT": str(self.monorepo.packages),
            "AIRFLOW_DAGS_DIR": str(self.monorepo.dags),
        }

    def __call__(self, *arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "dagsync", *arguments]
        return subprocess.run(command, env=self.environment | changed, capture_output=True, text=True, timeout=120)

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "dagsync", *arguments]
        return subprocess.Popen(command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def whole(self) -> list[str]:
        """Return the names of the environments there are."""
        return sorted(path.stem for path in self.made.glob("*.json"))


@pytest.fixture
def packages(monorepo: Monorepo, tmp_path: Path) -> Packages:
    return Packages(monorepo, tmp_path)


@pytest.mark.parametrize("tool", ["uv", "pip"])
def test_packages_need_not_agree_on_a_version(packages: Packages, tool: str) -> None:
    if tool == "pip":
        (packages.bin / "uv").unlink()
    for name, version in (("crm", "1.0"), ("sales", "2.0")):
        packages.package(name, packages.lock(greeting=version))
    for name, version in (("crm", "1.0"), ("sales", "2.0"), ("crm", "1.0")):
        done = packages("run", f"{name}.tell")
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1] == f"greeting {version}"
    assert len(packages.whole()) == 2


def test_environment_holds_what_the_lock_says_and_dagsync_alone(packages: Packages) -> None:
    source = """
        import importlib.util
        import multiprocessing
        import os
        import subprocess
        import sys
        import greeting
        from dagsync import Job

        def square(number):
            return number * number

        def main(argv):
            found = [name for name in ("airflow", "rich", "pip", "pydantic") if importlib.util.find_spec(name)]
            assert not found, found
            told = subprocess.run(["python", "-c", "import greeting, sys; print(sys.prefix)"], capture_output=True, text=True)
            assert told.stdout.strip() == sys.prefix == os.environ["VIRTUAL_ENV"], told
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                assert pool.map(square, [3]) == [9]

        JOB = Job(main, "Looks around")
    """
    packages.package("crm", packages.lock(greeting="1.0"), source=source)
    done = packages("run", "crm.tell")
    assert done.returncode == 0, done.stderr


def test_environment_is_made_once_and_needs_no_index_again(packages: Packages) -> None:
    packages.package("crm", packages.lock(greeting="1.0"))
    first = packages("environments", "build")
    assert first.returncode == 0, first.stderr
    assert "making the environment of package crm: 1 distributions" in first.stderr
    rmtree(packages.wheels)
    (packages.bin / "uv").unlink()
    again = packages("run", "crm.tell")
    assert (again.returncode, again.stdout) == (0, "greeting 1.0\n"), again.stderr
    assert "making" not in again.stderr


def test_changed_lock_is_another_environment_and_the_old_one_goes_when_nobody_uses_it(packages: Packages) -> None:
    packages.package("crm", packages.lock(greeting="1.0"))
    assert packages("run", "crm.tell").returncode == 0
    (old,) = packages.whole()
    packages.package("crm", packages.lock(greeting="2.0"))
    assert packages("run", "crm.tell").stdout.splitlines()[-1] == "greeting 2.0"
    assert len(packages.whole()) == 2
    os.utime(packages.made / f"{old}.lock", (0, 0))
    packages.package("crm", packages.lock(greeting="3.0"))
    assert f"removed {packages.made / old}" in packages("run", "crm.tell").stdout
    assert len(packages.whole()) == 2
    assert not (packages.made / old).exists()


def test_environment_that_a_job_runs_in_is_not_removed(packages: Packages, tmp_path: Path) -> None:
    flag = tmp_path / "go"
    source = f"""
        import pathlib, time
        from dagsync import Job

        def main(argv):
            print("in", flush=True)
            deadline = time.monotonic() + 60
            while not pathlib.Path({str(flag)!r}).exists():
                assert time.monotonic() < deadline
                time.sleep(0.02)
            import greeting

        JOB = Job(main, "Stays")
    """
    packages.package("crm", packages.lock(greeting="1.0"), source=source)
    with packages.start("run", "crm.tell") as job:
        assert job.stdout is not None
        until(lambda: "in" in job.stdout.readline().split(), "the job runs")  # pyright: ignore[reportOptionalMemberAccess]
        (name,) = packages.whole()
        os.utime(packages.made / f"{name}.lock", (0, 0))
        assert prune(packages.made) == []
        flag.touch()
        assert job.wait(60) == 0
    assert prune(packages.made) == [name]


def test_killed_build_leaves_nothing_and_the_next_one_waits_for_what_it_left_running(
    packages: Packages, tmp_path: Path
) -> None:
    started, go = tmp_path / "started", tmp_path / "go"
    (packages.bin / "uv").unlink()
    wrapper = packages.bin / "uv"
    wrapper.write_text(
        f'#!/bin/sh\nif [ "$1" = pip ] && [ ! -e {go} ]; then touch {started}\n'
        f'i=0; while [ ! -e {go} ] && [ $i -lt 1200 ]; do i=$((i+1)); sleep 0.05; done; exit 1; fi\nexec {UV} "$@"\n'
    )
    wrapper.chmod(0o755)
    packages.package("crm", packages.lock(greeting="1.0"))
    with packages.start("run", "crm.tell") as killed:
        until(started.exists, "the build is under way")
        killed.kill()
        assert killed.wait(30) == -signal.SIGKILL
        assert packages.whole() == []
        with packages.start("run", "crm.tell") as following:
            assert following.stdout is not None
            assert "waiting for another process" in following.stdout.readline()
            go.touch()
            output, _ = following.communicate(timeout=120)
    assert following.returncode == 0, output
    assert output.splitlines()[-1] == "greeting 1.0"
    assert len(packages.whole()) == 1


def test_those_who_need_the_same_at_once_make_it_once(packages: Packages) -> None:
    packages.package("crm", packages.lock(greeting="1.0"))
    running = [packages.start("run", "crm.tell") for _ in range(4)]
    outputs = [process.communicate(timeout=120)[0] for process in running]
    assert [process.returncode for process in running] == [0] * 4, outputs
    assert "".join(outputs).count("making the environment") == 1
    assert "".join(outputs).count("greeting 1.0") == 4


HASH = f"--hash=sha256:{'0' * 64}"


@pytest.mark.parametrize(
    ("lock", "reason"),
    [
        ("greeting==1.0\n", "requirements.txt:1: greeting==1.0 has no hash"),
        (f"# a\n\ngreeting>=1.0 {HASH}\n", "requirements.txt:3: 'greeting>=1.0' is not pinned by =="),
        (f"greeting==1.* {HASH}\n", "is not pinned"),
        (f"greeting @ https://example.com/a.whl {HASH}\n", "is not pinned by =="),
        ("-r other.txt\n", "-r has no place in a lock"),
        ("-e .\n", "-e has no place in a lock"),
        ("greeting==1.0 \\\n  --hash=md5:00\n", "greeting==1.0 has no hash"),
    ],
)
def test_lock_that_does_not_say_exactly_what_to_install_is_refused(packages: Packages, lock: str, reason: str) -> None:
    packages.package("crm", lock)
    done = packages("run", "crm.tell")
    assert done.returncode == 18
    assert reason in done.stderr
    assert "fix: write it with uv export" in done.stderr
    assert packages("validate", "--airflow", "never").returncode == 1
    assert reason in packages("validate", "--airflow", "never").stderr


@pytest.mark.parametrize("tool", ["uv", "pip"])
@pytest.mark.parametrize("fault", ["hash", "missing", "unreachable", "sdist"])
def test_build_that_fails_tells_the_tools_last_lines_and_leaves_nothing(packages: Packages, tool: str, fault: str) -> None:
    lock = packages.lock(greeting="1.0")
    match fault:
        case "hash":
            write_wheel(packages.wheels, "greeting", "1.0", "VERSION = 'another'")
            words = ["ash"]
        case "missing":
            rmtree(packages.wheels)
            packages.wheels.mkdir()
            words = ["greeting"]
        case "sdist":
            (packages.wheels / "greeting-1.0-py3-none-any.whl").rename(packages.wheels / "greeting-1.0.tar.gz")
            words = ["greeting"]
        case _:
            lock = f"--index-url http://127.0.0.1:9/simple\ngreeting==1.0 {HASH}\n"
            words = ["greeting"]
    if tool == "pip":
        (packages.bin / "uv").unlink()
    packages.package("crm", lock)
    done = packages("run", "crm.tell", PIP_RETRIES="0", UV_HTTP_RETRIES="0")
    assert done.returncode == 18, done.stdout
    assert "the environment of package crm cannot be made" in done.stderr
    assert "its last lines:\n" in done.stderr
    for word in words:
        assert word in done.stderr.partition("its last lines:")[2]
    assert [path.suffix for path in packages.made.iterdir()] == [".lock"]


def test_lock_of_another_kind_is_refused_with_what_to_do(packages: Packages) -> None:
    packages.package("crm", "", 'virtualenv = "uv.lock"')
    found = packages("discover")
    assert found.returncode == 1
    assert "crm/pyproject.toml: [tool.dagsync] virtualenv: 'uv.lock' is no requirements file" in found.stderr
    assert "virtualenv: see crm/pyproject.toml" in found.stderr


@pytest.mark.parametrize(
    ("value", "reason"),
    [("3", "expected true, false or the path of a lock"), ('"../a.txt"', "is outside the package"), ('"/a.txt"', "is outside")],
)
def test_value_that_cannot_be_is_a_problem_of_the_file(packages: Packages, value: str, reason: str) -> None:
    packages.package("crm", "", f"virtualenv = {value}")
    assert reason in packages("discover").stderr
    assert packages("run", "crm.tell").returncode == 18


def test_tree_has_no_environment(packages: Packages) -> None:
    packages.package("crm", packages.lock(greeting="1.0"), "virtualenv = false")
    (packages.monorepo.packages / "pyproject.toml").write_text("[tool.dagsync]\nvirtualenv = true\n")
    assert "virtualenv is for each package to say" in packages("discover").stderr


def test_inline_job_is_refused_where_its_package_brings_dependencies(packages: Packages) -> None:
    from types import SimpleNamespace

    from dagsync.errors import JobFailedError
    from dagsync.runtime import run_job

    packages.package("crm", packages.lock(greeting="1.0"))
    packages.monorepo.job("crm.inline", "JOB = (print, 'x', {'isolation': 'inline'})\n")
    found = packages("validate", "--airflow", "never")
    assert "crm/jobs/inline.py:1: isolation='inline' runs in Airflow's environment" in found.stderr
    bundle = SimpleNamespace(bundle_instance=SimpleNamespace(packages_root=packages.monorepo.packages))
    with pytest.raises(JobFailedError, match="brings its own"):
        run_job("crm.inline", {"params": {"args": []}, "ti": bundle})


def test_status_and_list_say_which_environments_there_are(packages: Packages) -> None:
    packages.package("crm", packages.lock(greeting="1.0"))
    packages.package("sales", "greeting==1.0")
    packages.monorepo.job("plain.job")
    assert packages("sync").returncode == 0
    before = packages("status").stdout
    assert "environment of crm: not made; the first job that needs it does" in before
    assert "greeting==1.0 has no hash" in before
    assert "plain" not in before
    built = packages("environments", "build")
    assert (built.returncode, built.stdout.partition(":")[0]) == (1, "crm")
    (name,) = packages.whole()
    assert f"environment of crm: {packages.made / name}" in packages("status").stdout
    (listed,) = json.loads(packages("environments", "--json").stdout)
    assert (listed["package"], listed["path"]) == ("crm", str(packages.made / name))
    assert packages("environments", "prune", "--unused-days", "1").stdout == ""


def test_environments_of_the_image_are_used_where_they_cannot_be_written(packages: Packages, tmp_path: Path) -> None:
    packages.package("crm", packages.lock(greeting="1.0"))
    assert packages("environments", "build").returncode == 0
    packages.package("sales", packages.lock(greeting="2.0"))
    own = tmp_path / "own"
    # For root every folder can be written to, but not one below a file.
    both = f"{packages.made}:{packages.bin / 'uv' / 'none'}:{own}"
    assert "making" not in packages("run", "crm.tell", DAGSYNC_ENVIRONMENTS=both).stdout
    elsewhere = f"{packages.bin / 'uv' / 'none'}:{own}"
    assert packages("run", "sales.tell", DAGSYNC_ENVIRONMENTS=elsewhere).returncode == 0
    assert len(list(own.glob("*.json"))) == 1
    refused = packages("run", "sales.tell", DAGSYNC_ENVIRONMENTS=str(packages.bin / "uv" / "none"))
    assert (refused.returncode, "cannot be written to" in refused.stderr) == (18, True)


def test_environment_of_another_user_is_refused(packages: Packages, monkeypatch: pytest.MonkeyPatch) -> None:
    packages.package("crm", packages.lock(greeting="1.0"))
    lock = lock_of(packages.monorepo.packages, "crm")
    assert lock is not None
    made = build(lock, packages.environment, lambda *_: None)
    if os.getuid() == 0:
        os.chown(made, 65534, 65534)
    else:
        monkeypatch.setattr(os, "getuid", lambda: 65534)
    with pytest.raises(VirtualenvError, match="belongs to another user"):
        ready(lock, packages.environment)


NAMES = st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,4})?", fullmatch=True)
PINS = st.lists(st.tuples(NAMES, st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){0,2}", fullmatch=True)), max_size=6)


@given(PINS, st.sampled_from([" ", " \\\n    "]), st.sampled_from(["", "  # via x", "\n# a comment"]), st.integers(0, 9))
def test_every_requirement_of_a_lock_is_read(
    tmp_path_factory: pytest.TempPathFactory, pins: list[tuple[str, str]], between: str, after: str, bare: int
) -> None:
    root = tmp_path_factory.mktemp("locks")
    (root / "p").mkdir()
    (root / "p" / "pyproject.toml").write_text("[tool.dagsync]\nvirtualenv = true\n")
    lines = [f"{name}=={version}{between}{HASH}{between}{HASH}{after}\n" for name, version in pins]
    (root / "p" / "requirements.txt").write_text("".join(lines))
    lock = lock_of(root, "p")
    assert lock is not None
    assert lock.pinned == tuple(f"{name}=={version}" for name, version in pins)
    if bare < len(pins):
        lines[bare] = lines[bare].replace(HASH, "")
        (root / "p" / "requirements.txt").write_text("".join(lines))
        with pytest.raises(VirtualenvError, match="has no hash"):
            lock_of(root, "p")
