"""Which cluster ``make cluster`` means: one that was named, kind or minikube where Docker answers, else a node of our own."""

from dataclasses import dataclass
from typing import Literal

Provider = Literal["context", "kind", "minikube", "node"]


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What the choice depends on."""

    context: str | None = None
    """``--context``: the name of a context in the person's kubeconfig."""

    kubeconfig: str | None = None
    """The environment's ``KUBECONFIG``."""

    docker_answers: bool = False
    kind: bool = False
    """Whether the command is there."""

    minikube: bool = False


@dataclass(frozen=True)
class Choice:
    """The provider, and the half-sentence that says why."""

    provider: Provider
    reason: str


def choose(situation: Situation, wanted: Provider | None = None) -> Choice:
    """Return what to use. ``wanted`` is the person's own choice and wins."""
    if wanted is not None:
        return Choice(wanted, "as you asked")
    if situation.context:
        return Choice("context", f"the context {situation.context}, as you asked")
    if situation.kubeconfig:
        return Choice("context", f"the current context of KUBECONFIG={situation.kubeconfig}")
    if situation.docker_answers and situation.kind:
        return Choice("kind", "Docker answers and kind is here")
    if situation.docker_answers and situation.minikube:
        return Choice("minikube", "Docker answers and minikube is here")
    missing = "there is neither kind nor minikube" if situation.docker_answers else "no Docker answers"
    return Choice("node", f"{missing}, so a node of our own")
