"""DNS record of a host that leads to a load balancer."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True, kw_only=True)
class AddressRecordArgs:
    host: str
    zone_id: pulumi.Input[str]
    """Route 53 zone of the host."""

    load_balancer: pulumi.Input[str]
    """Host name of the load balancer."""


class AddressRecord(pulumi.ComponentResource):
    """An alias: it follows the addresses of the load balancer, and AWS answers it for nothing."""

    def __init__(self, name: str, args: AddressRecordArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("airflow-control-plane:index:AddressRecord", name, {}, opts)
        # Zone that AWS keeps the names of a region's Application Load Balancers in.
        balancers = aws.lb.get_hosted_zone_id_output(
            load_balancer_type="application", opts=pulumi.InvokeOutputOptions(parent=self)
        )
        aws.route53.Record(
            name,
            zone_id=args.zone_id,
            name=args.host,
            type="A",
            aliases=[aws.route53.RecordAliasArgs(name=args.load_balancer, zone_id=balancers.id, evaluate_target_health=False)],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})
