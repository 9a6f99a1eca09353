"""The state folder: secrets, records, and what makes it unusable."""

import stat
from pathlib import Path

import pytest

from standalone.errors import BusyError, StateFolderError
from standalone.state import Run, StateFolder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_secrets_are_made_once_and_only_this_user_reads_them(folder: StateFolder) -> None:
    first = folder.read_secrets()
    assert StateFolder(folder.root).read_secrets() == first
    assert mode(folder.root) == 0o700
    assert [mode(folder.root / name) for name in ("secrets.json", "passwords.json")] == [0o600, 0o600]


def test_two_folders_share_no_secret(tmp_path: Path) -> None:
    a, b = StateFolder(tmp_path / "a"), StateFolder(tmp_path / "b")
    a.prepare()
    b.prepare()
    assert not set(vars(a.read_secrets()).values()) & set(vars(b.read_secrets()).values())


def test_unreadable_secrets_are_never_replaced_silently(folder: StateFolder) -> None:
    (folder.root / "secrets.json").write_text("{")
    with pytest.raises(StateFolderError, match=r"secrets\.json"):
        folder.read_secrets()


def test_a_run_is_read_back_as_written_and_a_torn_record_is_none(folder: StateFolder) -> None:
    run = Run(packages="/p", port=8080, began=1.5)
    folder.write_run(run)
    assert folder.read_run() == run
    (folder.root / "run.json").write_text('{"packages": ')
    assert folder.read_run() is None


def test_a_folder_that_cannot_be_made_is_named_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StateFolderError, match=r"file/state: cannot write the state folder: Not a directory"):
        StateFolder(tmp_path / "file" / "state").prepare()


def test_a_folder_that_is_somebody_elses_is_not_touched(tmp_path: Path) -> None:
    home = tmp_path / "airflow"
    (home / "dags").mkdir(parents=True)
    (home / "airflow.cfg").write_text("[core]")
    home.chmod(0o755)
    with pytest.raises(StateFolderError, match="found other files"):
        StateFolder(home).prepare()
    assert sorted(path.name for path in home.iterdir()) == ["airflow.cfg", "dags"]
    assert ((home / "airflow.cfg").read_text(), mode(home)) == ("[core]", 0o755)


def test_characters_that_mean_something_in_a_database_url_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StateFolderError, match=r"cannot hold \?"):
        StateFolder(tmp_path / "what?").prepare()


def test_only_one_start_or_stop_at_a_time(folder: StateFolder) -> None:
    with folder.locked(), pytest.raises(BusyError), StateFolder(folder.root).locked():
        pass
    with folder.locked():
        pass
