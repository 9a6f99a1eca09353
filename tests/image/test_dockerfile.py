"""What the image promises to the cluster, asserted on its Dockerfile."""

import re
from pathlib import Path

from components.airflow_environment import DAGS_DIR, PACKAGES_ROOT
from components.image_content import SOURCES
from dagsync.environments import IN_IMAGE
from tests.image.dockerfile import parse

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "image" / "Dockerfile").read_text()
ARGUMENTS, STAGES = parse(TEXT)
FINAL = STAGES[-1]
BY_NAME = {stage.name: stage for stage in STAGES}


def env(stage_name: str = "") -> dict[str, str]:
    pairs = [word.partition("=") for instruction in BY_NAME[stage_name].of("ENV") for word in instruction.words]
    return {name: value for name, _, value in pairs}


def context_sources(*stages: str) -> set[str]:
    """What the named stages, or all, copy from the repository."""
    return {
        source
        for stage in STAGES
        if not stages or stage.name in stages
        for copy in stage.of("COPY")
        if "--from=" not in copy.text
        for source in copy.words[:-1]
    }


def test_every_stage_starts_from_the_one_pinned_base() -> None:
    assert re.fullmatch(r"apache/airflow:\d+\.\d+\.\d+-python3\.\d+", ARGUMENTS["BASE_IMAGE"])
    earlier: set[str] = set()
    for stage in STAGES:
        assert stage.base in {"${BASE_IMAGE}", *earlier}, f"{stage.name or 'final'} starts from {stage.base}"
        earlier.add(stage.name)
    assert "latest" not in TEXT


def test_container_runs_as_airflow_by_number_and_nothing_follows() -> None:
    last = FINAL.instructions[-1]
    assert (last.keyword, last.text) == ("USER", "50000:0")


def test_entrypoint_of_the_base_stays() -> None:
    assert FINAL.of("ENTRYPOINT") + FINAL.of("CMD") == []


def test_layers_go_from_what_changes_least_to_what_changes_most() -> None:
    layers = [instruction for instruction in FINAL.instructions if instruction.keyword in {"COPY", "RUN", "ADD"}]
    copies = [re.match(r"--from=(\w+)", layer.text) for layer in layers if layer.keyword == "COPY"]
    assert [copy and copy[1] for copy in copies] == ["certificates", "dependencies", "dagsync", "environments", "packages"]
    assert "--from=packages" in layers[-1].text
    arguments = [argument.text.partition("=")[0] for argument in FINAL.of("ARG")]
    first_argument = FINAL.instructions.index(FINAL.of("ARG")[0])
    assert {"VERSION", "REVISION"} <= set(arguments)
    assert all(FINAL.instructions.index(layer) < first_argument for layer in layers), "a revision must not rebuild layers"


def test_dependencies_see_no_code() -> None:
    assert context_sources("uv", "dependencies") == {"requirements/uv.txt", "requirements/dagsync.txt"}


def test_everything_installed_is_locked_by_hash() -> None:
    installs = [run.text for stage in STAGES for run in stage.of("RUN") if re.search(r"pip (install|sync)|uv build", run.text)]
    assert len(installs) == 3
    for text in installs:
        assert "--require-hashes" in text
    assert "--no-deps --no-index" in installs[-1], "the wheel brings nothing along"
    for lock in re.findall(r"requirements/\w+\.txt", TEXT):
        requirements = re.findall(r"^\S+==\S+.*?(?=^\S|\Z)", (ROOT / lock).read_text(), re.M | re.S)
        assert requirements, lock
        assert all("--hash=sha256:" in requirement for requirement in requirements), lock


def test_airflow_keeps_the_versions_of_its_base() -> None:
    for stage in STAGES:
        for run in stage.of("RUN"):
            for install in re.findall(r"uv pip .*?(?=&&|$)", run.text):
                assert "--python /opt/dagsync" in install
    runs = " ".join(run.text for run in FINAL.of("RUN"))
    assert not re.search(r"\b(pip|uv|apt-get|curl|wget)\b", runs), "the final stage installs nothing"


def test_environments_of_packages_are_made_where_tasks_look_for_them() -> None:
    (made,) = BY_NAME["environments"].of("RUN")
    assert f"DAGSYNC_ENVIRONMENTS={IN_IMAGE} python -m dagsync environments build" in re.sub(r"\s+", " ", made.text)
    # In folders() it is the first place, and nothing tells tasks of another one.
    assert "DAGSYNC_ENVIRONMENTS" not in env()
    (copied,) = [copy for copy in FINAL.of("COPY") if "--from=environments" in copy.text]
    assert copied.words == [IN_IMAGE, IN_IMAGE]


def test_uv_does_not_reach_the_final_image() -> None:
    assert "/build" not in " ".join(instruction.text for instruction in FINAL.instructions)


def test_what_is_copied_exists_and_decides_the_tag() -> None:
    packages = BY_NAME["packages"].of("ARG")[0].words[0].removeprefix("PACKAGES=")
    for source in context_sources():
        if source == "${PACKAGES}":
            assert (ROOT / packages).is_dir()
        else:
            assert (ROOT / source).exists(), source
            assert any(source == known or source.startswith(f"{known}/") for known in SOURCES), f"{source}: not in SOURCES"


def test_folders_are_those_the_pods_are_told() -> None:
    assert (env()["ETL_PACKAGES_ROOT"], env()["AIRFLOW_DAGS_DIR"]) == (PACKAGES_ROOT, DAGS_DIR)
    assert FINAL.of("COPY")[-1].words[-1] == PACKAGES_ROOT


def test_read_only_root_has_its_bytecode_and_its_configuration_file() -> None:
    assert env()["PYTHONDONTWRITEBYTECODE"] == "1"
    assert env("uv")["UV_COMPILE_BYTECODE"] == "1"
    assert "compileall" in BY_NAME["packages"].of("RUN")[0].text
    assert '"${AIRFLOW_HOME}/airflow.cfg"' in FINAL.of("RUN")[0].text


def test_group_and_others_read_and_do_not_write() -> None:
    for name in ("dependencies", "dagsync", "environments", "packages"):
        assert "chmod -R u=rwX,go=rX" in BY_NAME[name].of("RUN")[-1].text, name
    assert "--chown" not in TEXT


def test_no_secret_is_an_argument_or_an_environment_variable() -> None:
    names = [
        word.partition("=")[0] for stage in STAGES for kind in ("ARG", "ENV") for line in stage.of(kind) for word in line.words
    ]
    assert "PACKAGES" in names
    assert not [name for name in [*ARGUMENTS, *names] if re.search(r"PASS|SECRET|TOKEN|KEY|CREDENTIAL", name, re.I)]


def test_labels_say_what_where_from_and_which() -> None:
    labels = {word.partition("=")[0] for word in FINAL.of("LABEL")[0].words}
    wanted = {"title", "description", "licenses", "base.name", "source", "version", "revision"}
    assert labels == {f"org.opencontainers.image.{name}" for name in wanted}
