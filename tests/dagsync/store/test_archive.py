"""An archive is the same for the same content, unpacks to exactly that, and no hostile one reaches past its folder."""

import contextlib
import gzip
import hashlib
import io
import os
import tarfile
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagsync.archive import Limits, pack
from dagsync.source_errors import ArchiveError
from dagsync.unpacking import unpack
from tests.dagsync.store.bucket import content_of, write

NAME = st.text("abcXYZ09_-éß中 $'\"", min_size=1, max_size=12).filter(lambda name: not name.endswith("~"))
TREES = st.dictionaries(
    st.lists(NAME | st.text("n", min_size=90, max_size=120), min_size=1, max_size=4).map("/".join),
    st.tuples(st.binary(max_size=2000), st.booleans()),
    max_size=8,
)


def packed(root: Path) -> tuple[str, bytes]:
    file = io.BytesIO()
    return pack(root, file).version, file.getvalue()


def unpacked(version: str, archive: bytes, limits: Limits | None = None) -> dict[str, bytes]:
    """Unpack in a folder of its own, of which nothing but the target may change, and return what came out."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bystander").write_text("untouched")
        (folder / "in").mkdir()
        (folder / "in" / "archive.tar.gz").write_bytes(archive)
        try:
            unpack(folder / "in" / "archive.tar.gz", folder / "in" / "out", version, limits or Limits())
        finally:
            assert sorted(path.name for path in folder.iterdir()) == ["bystander", "in"]
            assert (folder / "bystander").read_text() == "untouched"
            assert {path.name for path in (folder / "in").iterdir()} <= {"archive.tar.gz", "out"}
            assert not any(path.is_symlink() for path in (folder / "in").rglob("*"))
        return content_of(folder / "in" / "out")


def hostile(*members: tarfile.TarInfo, content: bytes = b"x") -> tuple[str, bytes]:
    """Return an archive of these members with the hash that is right for it."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for member in members:
            if member.type in {tarfile.REGTYPE, tarfile.CONTTYPE}:
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
            else:
                tar.addfile(member)
    return hashlib.sha256(raw.getvalue()).hexdigest(), gzip.compress(raw.getvalue())


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, target
    return made


@given(TREES)
@settings(max_examples=60)
def test_every_tree_survives_the_way_there_and_back(tree: dict[str, tuple[bytes, bool]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for path, (content, executable) in tree.items():
            try:
                write(root, {path: content})
            except (FileExistsError, NotADirectoryError, IsADirectoryError):
                continue
            (root / path).chmod(0o700 if executable else 0o604)
        try:
            version, archive = packed(root)
        except ArchiveError as error:
            if "case" not in str(error):
                raise
            # The strategy makes names that differ in case or accents only; nothing else of it may be refused.
            return
        assert unpacked(version, archive) == content_of(root)


def test_archive_is_the_same_whoever_makes_it_and_whenever(tmp_path: Path) -> None:
    files = {"b/jobs/x.py": "1", "a/__init__.py": "", "a/z.py": "2", "a-b.py": "3"}
    write(tmp_path / "one", files)
    write(tmp_path / "two", dict(reversed(files.items())))
    os.utime(tmp_path / "two" / "a" / "z.py", (1, 1))
    (tmp_path / "two" / "a" / "z.py").chmod(0o664)
    write(
        tmp_path / "two",
        {
            "a/__pycache__/z.cpython-311.pyc": b"\0",
            "a/z.pyc": "",
            ".git/HEAD": "",
            "a/.z.py.swp": "",
            "a/z.py~": "",
            "a/.env": "s",
        },
    )
    (tmp_path / "two" / "empty").mkdir()
    assert packed(tmp_path / "one") == packed(tmp_path / "two")


def test_version_does_not_depend_on_the_compression(tmp_path: Path) -> None:
    write(tmp_path / "tree", {"a.py": "x" * 5000})
    version, archive = packed(tmp_path / "tree")
    otherwise = gzip.compress(gzip.decompress(archive), compresslevel=1, mtime=12345)
    assert otherwise != archive
    assert unpacked(version, otherwise) == {"a.py": b"x" * 5000}


def test_any_change_is_another_version(tmp_path: Path) -> None:
    root = tmp_path / "tree"
    write(root, {"a/b.py": "1", "a/c.py": "2"})
    versions = {packed(root)[0]}
    for change in (
        lambda: write(root, {"a/b.py": "2"}),
        lambda: (root / "a" / "b.py").rename(root / "a" / "d.py"),
        lambda: (root / "a" / "d.py").chmod(0o755),
        lambda: (root / "a" / "c.py").unlink(),
        lambda: write(root, {"data.csv": ""}),
    ):
        change()
        version = packed(root)[0]
        assert version not in versions
        versions.add(version)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda root: (root / "link").symlink_to("/etc/passwd"), "is a link"),
        (lambda root: (root / "folder").symlink_to(root), "is a link"),
        (lambda root: os.mkfifo(root / "pipe"), "neither a file nor a folder"),
        (lambda root: write(root, {"A.py": "", "a.py": ""}), "differ in case"),
        (lambda root: write(root, {"P/x.py": "", "p/y.py": ""}), "differ in case"),
        (lambda root: write(root, {"caf\u00e9": "", "cafe\u0301": ""}), "differ in case"),
        (lambda root: write(root, {"a\nb": ""}), "control character"),
        (lambda root: write(root, {"a\\b": ""}), "backslash"),
        (lambda root: (root / os.fsdecode(b"\xff")).touch(), "not valid UTF-8"),
    ],
)
def test_what_could_not_be_unpacked_is_not_packed(tmp_path: Path, make: Callable[[Path], object], said: str) -> None:
    make(tmp_path)
    with pytest.raises(ArchiveError, match=said) as error:
        pack(tmp_path)
    assert error.value.fix


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ([member("/etc/cron.d/evil")], "absolute"),
        ([member("../bystander")], "'..'"),
        ([member("a/../../bystander")], "'..'"),
        ([member("./a.py")], "'.'"),
        ([member("a//b.py")], "empty part"),
        ([member("a\\..\\b.py")], "backslash"),
        ([member("a\x07.py")], "control character"),
        ([member("n" * 256)], "too long"),
        ([member("link", tarfile.SYMTYPE, "/etc")], "no plain file"),
        ([member("link", tarfile.SYMTYPE, "."), member("link/x")], "no plain file"),
        ([member("a"), member("link", tarfile.LNKTYPE, "a")], "no plain file"),
        ([member("dev", tarfile.CHRTYPE)], "no plain file"),
        ([member("dev", tarfile.BLKTYPE)], "no plain file"),
        ([member("pipe", tarfile.FIFOTYPE)], "no plain file"),
        ([member("folder", tarfile.DIRTYPE)], "no plain file"),
        ([member("odd", tarfile.CONTTYPE)], "no plain file"),
        ([member("a.py"), member("a.py")], "there twice"),
        ([member("a.py"), member("A.py")], "differ in case"),
        ([member("a/b.py"), member("A/c.py")], "differ in case"),
        ([member("a"), member("a/b")], "both a file and a folder"),
        ([member("a/b"), member("a")], "both a file and a folder"),
    ],
)
def test_hostile_archive_with_the_right_hash_is_refused(members: list[tarfile.TarInfo], said: str) -> None:
    with pytest.raises(ArchiveError) as error:
        unpacked(*hostile(*members))
    assert said in str(error.value)
    assert error.value.fix


def test_sparse_member_is_refused() -> None:
    made = member("sparse")
    made.pax_headers = {"GNU.sparse.map": "0,1", "GNU.sparse.size": str(1 << 40), "GNU.sparse.realsize": str(1 << 40)}
    with pytest.raises(ArchiveError, match="no plain file"):
        unpacked(*hostile(made))


def test_header_that_would_fill_the_memory_is_refused() -> None:
    made = member("a.py")
    made.pax_headers = {"comment": "c" * (2 << 20)}
    with pytest.raises(ArchiveError, match="header of"):
        unpacked(*hostile(made))


def test_bomb_is_refused() -> None:
    bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
    archive = b"".join(bomb.compress(bytes(1 << 20)) for _ in range(64)) + bomb.flush()
    with pytest.raises(ArchiveError, match="as a bomb does"):
        unpacked("0" * 64, archive)
    with pytest.raises(ArchiveError, match=f"more than {1 << 20} bytes"):
        unpacked("0" * 64, archive, Limits(total_bytes=1 << 20))


def test_limits_hold_for_who_packs_and_who_unpacks(tmp_path: Path) -> None:
    write(tmp_path, {f"{number}.py": os.urandom(1000) for number in range(5)})
    version, archive = packed(tmp_path)
    for limits, said in ((Limits(files=4), "more than 4 files"), (Limits(total_bytes=4000), "more than 4000 bytes")):
        with pytest.raises(ArchiveError, match=said):
            pack(tmp_path, None, limits)
        with pytest.raises(ArchiveError, match=said):
            unpacked(version, archive, limits)
    assert len(unpacked(version, archive, Limits(files=5))) == 5


def test_archive_of_another_version_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "1"})
    _, archive = packed(tmp_path)
    with pytest.raises(ArchiveError, match=r"holds [0-9a-f]{64}"):
        unpacked("0" * 64, archive)


@given(st.data())
@settings(max_examples=150)
def test_damaged_archive_is_refused_or_harmless_wherever_the_damage_is(data: st.DataObject) -> None:
    tree = {"a/b.py": b"print('hello')\n" * 40, "c.csv": bytes(range(256)) * 4}
    with tempfile.TemporaryDirectory() as name:
        write(Path(name), tree)
        version, archive = packed(Path(name))
    position = data.draw(st.integers(0, len(archive) - 1))
    damaged = bytearray(archive)
    damaged[position] ^= data.draw(st.integers(1, 255))
    # A few bits, such as the time in gzip's header and the padding at its end, mean nothing.
    with contextlib.suppress(ArchiveError):
        assert unpacked(version, bytes(damaged)) == tree
    for wrong in (
        archive[:position],
        archive + data.draw(st.binary(min_size=1, max_size=50)),
        data.draw(st.binary(max_size=99)),
    ):
        with pytest.raises(ArchiveError):
            unpacked(version, wrong)


@given(st.data())
@settings(max_examples=150)
def test_mangled_tar_with_the_right_hash_never_crashes_nor_escapes(data: st.DataObject) -> None:
    raw = bytearray(gzip.decompress(hostile(member("a/b.py"), member("c.py"), member("d" * 150))[1]))
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, min(len(raw), 4096) - 1))] = data.draw(st.sampled_from(b"\0/.015267xgLKSD\xff\x80-"))
    if data.draw(st.booleans()):
        # The header's own checksum made right again, so that the mangled fields are believed.
        for start in range(0, len(raw) - 511, 512):
            block = raw[start : start + 512]
            if block[257:262] == b"ustar":
                raw[start + 148 : start + 156] = b"%06o\0 " % (sum(block[:148]) + 256 + sum(block[156:]))
    with contextlib.suppress(ArchiveError):
        unpacked(hashlib.sha256(raw).hexdigest(), gzip.compress(bytes(raw)))
