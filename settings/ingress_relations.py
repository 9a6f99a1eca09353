"""Combinations of settings of the address that cannot work."""

from collections.abc import Iterable, Iterator, Mapping

from components.load_balancer import KEYS, PREFIX
from settings.ingress import CERT_MANAGER, IngressSettings
from settings.model import Settings
from settings.relation import RelationProblem

COMMON_NAME_LIMIT = 64
"""Source: ACM API reference, RequestCertificate, "DomainName"."""

OF_LOAD_BALANCER = ("scheme", "sourceCidrs", "zoneId", "certificateArn")
OF_OTHER_CLASSES = ("tlsSecret", "issuer", "controllerNamespace")


def ingress_problems(settings: Settings, region: str) -> Iterator[RelationProblem]:
    """Yield what cannot work of ``ingress``; ``region`` is ``aws:region``, or empty."""
    ingress, given = settings.ingress, _given(settings.ingress)
    if ingress.host is None:
        yield from _refused(given, given, "nothing without ingress.host, where it would have no effect")
        return
    if settings.airflow.base_url not in (None, ingress.url()):
        yield RelationProblem(
            keys=("ingress", "airflow"),
            where=f"airflow.baseUrl: {settings.airflow.base_url!r}",
            reason=f"allowed: {ingress.url()} or nothing, since ingress.host says where the page is",
            fix="pulumi config rm --path airflow.baseUrl",
        )
    decided = {f"{PREFIX}/{key}" for key in KEYS} if settings.has_load_balancer() else {CERT_MANAGER}
    for key in sorted(decided & set(ingress.annotations)):
        yield RelationProblem(
            keys=("platform", "ingress"),
            where=f"ingress.annotations: {key!r}",
            reason="allowed: others, since the program decides this one from the keys of ingress",
            fix=f"pulumi config rm --path 'ingress.annotations[\"{key}\"]'",
        )
    if settings.has_load_balancer():
        reason = "nothing with class 'alb', whose load balancer has its certificate from ACM and sends from its own subnets"
        yield from _refused(given, OF_OTHER_CLASSES, reason)
        yield from _certificate(ingress, region)
        yield from _openness(settings)
    else:
        reason = "nothing without class 'alb' on platform 'eks', since another controller reads its annotations alone"
        yield from _refused(given, OF_LOAD_BALANCER, reason)
        yield from _other_class(ingress)


def _given(ingress: IngressSettings) -> dict[str, object]:
    """Return every key that differs from its default."""
    default = IngressSettings().model_dump(by_alias=True)
    return {key: value for key, value in ingress.model_dump(by_alias=True).items() if value != default[key]}


def _refused(given: Mapping[str, object], keys: Iterable[str], reason: str) -> Iterator[RelationProblem]:
    for key in keys:
        if key in given:
            value = given[key]
            yield RelationProblem(
                keys=("platform", "ingress"),
                where=f"ingress.{key}: {list(value) if isinstance(value, tuple) else value!r}",  # pyright: ignore[reportUnknownArgumentType] - any setting
                reason=f"allowed: {reason}",
                fix=f"pulumi config rm --path ingress.{key}",
            )


def _certificate(ingress: IngressSettings, region: str) -> Iterator[RelationProblem]:
    if ingress.certificate_arn is None and ingress.zone_id is None:
        yield RelationProblem(
            keys=("platform", "ingress"),
            where="ingress.certificateArn: not set",
            reason="needed, or ingress.zoneId to have one made, since people log in and so nothing is without TLS",
            fix="pulumi config set --path ingress.zoneId Z0123456789ABCDEFGHIJ",
        )
    if ingress.certificate_arn is None and ingress.zone_id is not None and len(ingress.host or "") > COMMON_NAME_LIMIT:
        yield RelationProblem(
            keys=("platform", "ingress"),
            where=f"ingress.host: {ingress.host!r}",
            reason=f"allowed: {COMMON_NAME_LIMIT} characters in a certificate that ACM makes",
            fix="choose a shorter one, or bring ingress.certificateArn",
        )
    if ingress.certificate_arn is not None and region and ingress.certificate_arn.split(":")[3] != region:
        yield RelationProblem(
            keys=("platform", "ingress"),
            where=f"ingress.certificateArn: {ingress.certificate_arn!r}",
            reason=f"allowed: one in {region}, where the load balancer is",
            fix="name one of that region, or set ingress.zoneId alone to have one made",
        )


def _openness(settings: Settings) -> Iterator[RelationProblem]:
    ingress, network = settings.ingress, settings.network
    if ingress.scheme != "internet-facing":
        return
    if not ingress.source_cidrs:
        yield RelationProblem(
            keys=("platform", "ingress"),
            where="ingress.sourceCidrs: not set",
            reason="needed with ingress.scheme 'internet-facing', so that no login page is open to the world for want of a key",
            fix="pulumi config set --path 'ingress.sourceCidrs[0]' 192.0.2.0/24",
        )
    if network.vpc_id is not None and not network.public_subnet_ids:
        yield RelationProblem(
            keys=("platform", "ingress", "network"),
            where="ingress.scheme: 'internet-facing'",
            reason="allowed: internal while network.publicSubnetIds is empty, so that nothing of the VPC faces the internet",
            fix="pulumi config set --path 'network.publicSubnetIds[0]' SUBNET, and so on",
        )


def _other_class(ingress: IngressSettings) -> Iterator[RelationProblem]:
    if ingress.tls_secret is None and ingress.issuer is None:
        yield RelationProblem(
            keys=("platform", "ingress"),
            where="ingress.tlsSecret: not set",
            reason="needed, or ingress.issuer for cert-manager to make it, since people log in and so nothing is without TLS",
            fix="pulumi config set --path ingress.issuer letsencrypt",
        )
    if ingress.controller_namespace is None:
        yield RelationProblem(
            keys=("platform", "ingress"),
            where="ingress.controllerNamespace: not set",
            reason="needed, since network policies let no other namespace reach the API server",
            fix="pulumi config set --path ingress.controllerNamespace ingress-nginx",
        )
