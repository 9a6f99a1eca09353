"""Combinations of settings of Airflow's keys that cannot work."""

from collections.abc import Iterator

from settings.model import Settings
from settings.relation import RelationProblem
from settings.secrets import GenerationSettings


def secret_problems(settings: Settings) -> Iterator[RelationProblem]:
    """Yield what cannot work among the generations of keys, and where they are copied to."""
    if settings.secrets.mirror and settings.platform != "eks":
        yield RelationProblem(
            keys=("platform", "secrets"),
            where="secrets.mirror: true",
            reason=f"allowed: false with platform {settings.platform!r}, which uses no AWS",
            fix="pulumi config rm --path secrets.mirror, or use platform 'eks'",
        )
    yield from _external(settings)
    yield from _generations("fernet", settings.secrets.fernet)
    yield from _generations("jwt", settings.secrets.jwt)


def _external(settings: Settings) -> Iterator[RelationProblem]:
    if settings.secrets.source != "external":
        return
    if settings.platform != "eks":
        yield RelationProblem(
            keys=("platform", "secrets"),
            where="secrets.source: 'external'",
            reason=f"allowed: 'state' with platform {settings.platform!r}, which uses no Secrets Manager",
            fix="pulumi config set --path secrets.source state",
        )
        return
    if not settings.secrets.mirror:
        yield RelationProblem(
            keys=("secrets",),
            where="secrets.mirror: false",
            reason="allowed: true with secrets.source 'external', which makes Secrets of the mirror",
            fix="pulumi config set --path secrets.mirror true",
        )
    if settings.cluster.identity != "irsa":
        yield RelationProblem(
            keys=("secrets", "cluster"),
            where=f"cluster.identity: {settings.cluster.identity!r}",
            reason="allowed: 'irsa' with secrets.source 'external', since the operator reads by the role of a service account",
            fix="pulumi config set --path cluster.identity irsa",
        )


def _generations(key: str, given: GenerationSettings) -> Iterator[RelationProblem]:
    where = f"secrets.{key}"
    if given.oldest > given.generation:
        yield RelationProblem(
            keys=("secrets",),
            where=f"{where}.oldest: {given.oldest}",
            reason=f"allowed: 1 to {where}.generation, {given.generation}, or the key in use would not be accepted",
            fix=f"pulumi config set --path {where}.oldest {given.generation}",
        )
    if given.newest is not None and given.newest < given.generation:
        yield RelationProblem(
            keys=("secrets",),
            where=f"{where}.newest: {given.newest}",
            reason=f"allowed: {where}.generation, {given.generation}, or more, or the key in use would not be accepted",
            fix=f"pulumi config rm --path {where}.newest",
        )
