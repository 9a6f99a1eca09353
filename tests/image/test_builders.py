"""Who builds, and on which base."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from images import builders, building, debian, docker
from images.buildah import Buildah
from images.builders import BuildahBuilder, DockerBuilder
from images.building import Request
from images.errors import BaseError, NoBuilderError
from images.layout import Image
from images.storage import Storage
from versions import AIRFLOW_IMAGE

Programs = Callable[..., None]


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Return what makes shell scripts the only programs there are, by name."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def make(**scripts: str) -> None:
        for name, script in scripts.items():
            (folder / name).write_text(f"#!/bin/sh\n{script}\n")
            (folder / name).chmod(0o755)

    return make


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(tmp_path / "storage")


def test_docker_builds_where_its_engine_answers(programs: Programs, storage: Storage) -> None:
    programs(docker="exit 0", buildah="exit 0", debootstrap="exit 0")
    assert isinstance(builders.choose(storage), DockerBuilder)


@pytest.mark.parametrize(
    "script",
    ['[ "$1" != version ]', '[ "$1" != buildx ]', "/bin/sleep 30"],
    ids=["no engine", "no buildx", "an engine that is stuck"],
)
def test_buildah_builds_where_docker_does_not_answer(
    programs: Programs, storage: Storage, script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docker, "ANSWER_SECONDS", 1.0)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    programs(docker=f"exec {script}" if "sleep" in script else script, buildah="exit 0", debootstrap="exit 0")
    assert isinstance(builders.choose(storage), BuildahBuilder)


def test_what_is_asked_for_builds_or_nothing(programs: Programs, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    programs(docker="exit 0", buildah="exit 0", debootstrap="exit 0")
    assert isinstance(builders.choose(storage, "buildah"), BuildahBuilder)
    programs(docker="exit 1")
    with pytest.raises(NoBuilderError, match="docker: its engine"):
        builders.choose(storage, "docker")


def test_no_builder_says_what_is_missing(programs: Programs, storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    programs(debootstrap="exit 0")
    with pytest.raises(NoBuilderError, match=r"not installed: buildah\n.*apt-get install buildah debootstrap"):
        builders.choose(storage)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert Buildah.missing() == "buildah with chroot isolation needs root"


class Registry:
    """A builder that has, or can pull, the images it is given."""

    name: builders.Name = "docker"

    def __init__(self, *images: str) -> None:
        self.images, self.asked = images, list[str]()

    def has(self, image: str) -> bool:
        return image in self.images

    def resolves(self, image: str) -> bool:
        self.asked.append(image)
        return image in self.images

    def build(self, context: Path, *, tag: str, arguments: Mapping[str, str], file: str, log: str) -> None: ...

    def image(self, reference: str, *, base: str, content: str) -> Image:
        raise NotImplementedError


def request(base: str | None = None) -> Request:
    return Request(names=["airflow"], packages=Path(), base=base)


def built_on(base: str) -> Image:
    return Image(reference="localhost/x:1", digest="sha256:0", base=base, content="0", builder="buildah")


def test_the_official_image_is_the_base_where_a_registry_has_it() -> None:
    base = building.choose_base(Registry(AIRFLOW_IMAGE), request(), None)
    assert (base.reference, base.stands_in) == (AIRFLOW_IMAGE, False)


def test_a_stand_in_is_the_base_where_no_registry_answers() -> None:
    base = building.choose_base(Registry(), request(), None)
    assert (base.reference, base.stands_in) == (building.stand_in_reference(), True)


def test_a_stand_in_stays_the_base_and_no_registry_is_asked_again() -> None:
    registry = Registry(AIRFLOW_IMAGE)
    base = building.choose_base(registry, request(), built_on(f"{building.STAND_IN}:of-an-earlier-lock"))
    assert (base.reference, registry.asked) == (building.stand_in_reference(), [])


def test_a_base_that_is_named_is_used_or_refused() -> None:
    last = built_on(f"{building.STAND_IN}:1")
    assert building.choose_base(Registry("mine:1"), request("mine:1"), last).reference == "mine:1"
    with pytest.raises(BaseError, match="--base mine:2"):
        building.choose_base(Registry("mine:1"), request("mine:2"), last)


def test_the_stand_in_follows_what_it_is_made_of(monkeypatch: pytest.MonkeyPatch) -> None:
    before = building.stand_in_reference()
    assert building.stand_in_reference() == before
    monkeypatch.setattr(debian, "PACKAGES", (*debian.PACKAGES, "tzdata"))
    assert building.stand_in_reference() != before
