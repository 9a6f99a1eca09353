"""Which cluster is meant, and what kind and minikube are asked to do: neither is needed for that."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from cluster import clusters, external, programs
from cluster.choice import Choice, Situation, choose
from cluster.errors import ContextError, ImageError, MachineError, NodeError
from cluster.paths import BUILT

Install = Callable[[str, str], None]

ANSWERS = "exit 0"
MAKES_KUBECONFIG = (
    'echo "$0 $*" >> "$CALLS"; [ "$1" = delete ] || [ "$1" = load ] || [ "$1" = image ] || echo {} > "$KUBECONFIG"'
)


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    return tmp_path / "calls"


@pytest.fixture
def install(tmp_path: Path, calls: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Return what puts a command on a path that has nothing but a shell."""
    commands = tmp_path / "commands"
    commands.mkdir()
    monkeypatch.setenv("PATH", str(commands))

    def put(name: str, script: str) -> None:
        (commands / name).write_text(f"#!/bin/bash\n{script}\n")
        (commands / name).chmod(0o755)

    return put


@pytest.mark.parametrize(
    ("situation", "provider"),
    [
        (Situation(context="there", kubeconfig="/k", docker_answers=True, kind=True), "context"),
        (Situation(kubeconfig="/k", docker_answers=True, kind=True), "context"),
        (Situation(docker_answers=True, kind=True, minikube=True), "kind"),
        (Situation(docker_answers=True, minikube=True), "minikube"),
        (Situation(docker_answers=True), "node"),
        (Situation(kind=True, minikube=True), "node"),
        (Situation(), "node"),
    ],
)
def test_the_nearest_cluster_is_chosen(situation: Situation, provider: str) -> None:
    assert choose(situation).provider == provider
    assert choose(situation, "minikube") == Choice("minikube", "as you asked")


def test_the_situation_is_what_the_machine_says(install: Install, tmp_path: Path) -> None:
    assert external.situation(None, {}) == Situation()
    install("docker", ANSWERS)
    install("minikube", ANSWERS)
    assert external.situation("there", {}) == Situation(context="there", docker_answers=True, minikube=True)
    install("docker", "exit 1")
    assert not external.situation(None, {}).docker_answers


def test_the_kubeconfig_of_a_cluster_of_ours_names_no_other(tmp_path: Path) -> None:
    ours = tmp_path / "kubeconfig"
    assert external.situation(None, {"KUBECONFIG": str(ours)}).kubeconfig == str(ours)
    (tmp_path / "cluster.json").touch()
    assert external.situation(None, {"KUBECONFIG": str(ours)}).kubeconfig is None


@pytest.mark.parametrize(
    ("provider", "context", "started", "loaded", "stopped"),
    [
        (
            "kind",
            "kind-mine",
            "kind create cluster --name mine --wait 180s",
            "kind load image-archive image.tar --name mine",
            "kind delete cluster --name mine",
        ),
        (
            "minikube",
            "mine",
            "minikube start --profile mine --driver docker --cni calico --wait all",
            "minikube image load image.tar --profile mine",
            "minikube delete --profile mine",
        ),
    ],
)
def test_kind_and_minikube_make_load_and_remove_a_cluster(
    provider: str, context: str, started: str, loaded: str, stopped: str, install: Install, calls: Path, tmp_path: Path
) -> None:
    install("docker", ANSWERS)
    install(provider, MAKES_KUBECONFIG.replace("$0", provider))
    state = tmp_path / "state"
    made = clusters.start("mine", state, provider=None)
    assert (made.provider, made.context, made.kubeconfig) == (provider, context, state / "kubeconfig")
    assert made.kubeconfig.stat().st_mode & 0o777 == 0o600
    assert clusters.start("mine", state, provider=None) == made, "one that is up is left as it is"
    clusters.load(made, Path("image.tar"))
    clusters.stop("mine", state)
    assert calls.read_text().splitlines() == [started, loaded, stopped]
    assert not state.exists()


def test_what_kind_says_when_it_fails_is_told(install: Install, tmp_path: Path) -> None:
    install("docker", ANSWERS)
    install("kind", "echo no space left >&2; exit 1")
    with pytest.raises(NodeError, match=r"kind create cluster --name mine .*failed:\nno space left"):
        clusters.start("mine", tmp_path / "state", provider=None)


def test_a_named_context_is_used_if_it_answers_and_never_changed(install: Install, tmp_path: Path) -> None:
    install("kubectl", '[[ "$*" == *"--context there "* ]] || { echo refused >&2; exit 1; }')
    contexts = [{"name": name, "context": {}} for name in ("there", "down")]
    file = tmp_path / "config"
    file.write_text(yaml.safe_dump({"contexts": contexts, "current-context": "there"}))
    environment = {"KUBECONFIG": os.pathsep.join([str(tmp_path / "missing"), str(file)])}
    used = clusters.start("mine", tmp_path / "state", provider=None, environment=environment)
    assert (used.provider, used.context, used.kubeconfig) == ("context", "there", file)
    assert not (tmp_path / "state").exists()
    with pytest.raises(ContextError, match="context down does not answer: refused"):
        clusters.start("mine", tmp_path / "state", provider=None, context="down", environment=environment)
    with pytest.raises(ContextError, match="context nowhere: not in"):
        clusters.start("mine", tmp_path / "state", provider=None, context="nowhere", environment=environment)
    with pytest.raises(ImageError, match="not ours to load images into"):
        clusters.load(used, Path("image.tar"))


def test_missing_packages_are_one_apt_line(install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "CNI_FOLDERS", (tmp_path,))
    monkeypatch.setattr(programs, "search_path", lambda environment: environment["PATH"])
    monkeypatch.setattr("os.geteuid", lambda: 0)
    for name in ("ip", "mount", "unshare", "nft"):
        install(name, ANSWERS)
    with pytest.raises(
        MachineError, match="apt-get install --no-install-recommends containerd containernetworking-plugins iptables runc"
    ):
        programs.check_machine(tmp_path)


def test_without_root_or_without_the_tools_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(MachineError, match="needs root"):
        programs.check_machine(tmp_path)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(programs, "missing_packages", list)
    monkeypatch.setattr(programs, "BUILT", BUILT / "nowhere")
    with pytest.raises(MachineError, match="tools/build etcd kube-apiserver"):
        programs.check_machine(tmp_path)
