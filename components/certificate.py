"""Certificate of a host, by ACM, which renews it as long as the record that proves the domain is there."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True, kw_only=True)
class CertificateArgs:
    host: str
    """Host name. Changing it makes another certificate before the old one goes."""

    zone_id: pulumi.Input[str]
    """Public Route 53 zone of the host."""


class Certificate(pulumi.ComponentResource):
    """A certificate that is issued: its ARN is known once ACM has seen the proof."""

    arn: pulumi.Output[str]

    def __init__(self, name: str, args: CertificateArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airflow-control-plane:index:Certificate", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)

        certificate = aws.acm.Certificate(name, domain_name=args.host, validation_method="DNS", opts=child)
        asked = certificate.domain_validation_options[0]
        proof = aws.route53.Record(
            f"{name}-proof",
            zone_id=args.zone_id,
            name=asked.resource_record_name,
            type=asked.resource_record_type,
            records=[asked.resource_record_value],
            ttl=300,
            # ACM asks for the same record for every certificate of a host in an account, the one before among them.
            allow_overwrite=True,
            opts=child,
        )
        issued = aws.acm.CertificateValidation(
            name, certificate_arn=certificate.arn, validation_record_fqdns=[proof.fqdn], opts=child
        )
        self.arn = issued.certificate_arn
        self.register_outputs({"arn": self.arn})
