"""A Route 53 zone that exists, checked before anything is made in it."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


class HostedZoneError(pulumi.RunError):
    """The zone cannot hold what is to be made in it."""


@dataclass(frozen=True, kw_only=True)
class HostedZone:
    """What Route 53 says of a zone."""

    id: str
    name: str
    private: bool


def hosted_zone(zone_id: str, *, host: str, validates: bool, opts: pulumi.InvokeOutputOptions) -> pulumi.Output[str]:
    """Return the id of a zone, once it is looked up and can hold ``host``; ``validates`` is whether ACM asks it too."""
    return aws.route53.get_zone_output(zone_id=zone_id, opts=opts).apply(
        lambda found: checked(
            HostedZone(id=zone_id, name=found.name, private=bool(found.private_zone)), host=host, validates=validates
        )
    )


def checked(zone: HostedZone, *, host: str, validates: bool) -> str:
    """Return the id of ``zone``. Raises HostedZoneError if ``host`` is not in it, or if ACM could not see it and must."""
    name = zone.name.rstrip(".")
    if host != name and not host.endswith(f".{name}"):
        raise HostedZoneError(
            f"ingress.host: {host!r} is not in the zone of ingress.zoneId {zone.id!r}; allowed: {name} or a name below it"
            "\n  fix: aws route53 list-hosted-zones-by-name, then pulumi config set --path ingress.zoneId ZONE"
        )
    if validates and zone.private:
        raise HostedZoneError(
            f"ingress.zoneId: {zone.id!r} is a private zone; allowed: a public one, where ACM sees the proof for a certificate"
            "\n  fix: name the public zone of the host, or bring ingress.certificateArn"
        )
    return zone.id
