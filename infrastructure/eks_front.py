"""The way in on AWS: a certificate, and an Application Load Balancer that Auto Mode or the controller makes of the Ingress."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

import versions
from components.auto_mode_ingress_class import AutoModeIngressClass, AutoModeIngressClassArgs
from components.certificate import Certificate, CertificateArgs
from components.database_connection import cidr_peers
from components.eks_cluster import EksCluster
from components.front import Front
from components.hosted_zone import hosted_zone
from components.load_balancer import LoadBalancer, annotations
from components.load_balancer_controller import LoadBalancerController, LoadBalancerControllerArgs
from components.load_balancer_policy import Surroundings, load_balancer_policy
from components.vpc import Vpc
from components.workload_identity import OidcProvider
from settings import Settings
from settings.ingress import ALB, IngressSettings


@dataclass(frozen=True, kw_only=True)
class EksFrontArgs:
    """What of the platform the way in is made with."""

    vpc: Vpc
    cluster: EksCluster
    zone_id: pulumi.Output[str] | None
    oidc_provider: OidcProvider | None
    account: aws.Provider
    look_up: pulumi.InvokeOutputOptions
    region: str


def checked_zone(ingress: IngressSettings, *, look_up: pulumi.InvokeOutputOptions) -> pulumi.Output[str] | None:
    """Return the zone of the host, once it is known to be that."""
    if ingress.zone_id is None or ingress.host is None:
        return None
    return hosted_zone(ingress.zone_id, host=ingress.host, validates=ingress.certificate_arn is None, opts=look_up)


def eks_front(settings: Settings, args: EksFrontArgs) -> Front:
    """Declare the certificate and what makes load balancers, and return the one that is asked for."""
    ingress, vpc = settings.ingress, args.vpc
    facing = ingress.scheme == "internet-facing"
    cidrs = (vpc.public_cidrs if facing else vpc.private_cidrs) or [vpc.cidr]
    balancer = LoadBalancer(
        scheme=ingress.scheme,
        certificate_arn=_certificate(ingress, args),
        source_cidrs=ingress.source_cidrs or [vpc.cidr],
        subnet_ids=vpc.public_subnet_ids if facing else vpc.private_subnet_ids,
        protect=settings.protect,
    )
    return Front(
        # A load balancer cannot change its scheme: with the name, another one is made and found before this one goes.
        ingress_name=f"airflow-{ingress.scheme}",
        class_name=ALB,
        annotations={**ingress.annotations, **annotations(balancer)},
        peers=cidr_peers(cidrs),
        trusted=cidrs,
        tells_address=True,
        protect=settings.protect,
        ready=_maker(settings, args),
    )


def _certificate(ingress: IngressSettings, args: EksFrontArgs) -> pulumi.Input[str]:
    if ingress.certificate_arn is not None or ingress.host is None or args.zone_id is None:
        return ingress.certificate_arn or ""
    certificate = CertificateArgs(host=ingress.host, zone_id=args.zone_id)
    return Certificate("airflow", certificate, opts=pulumi.ResourceOptions(providers=[args.account])).arn


def _maker(settings: Settings, args: EksFrontArgs) -> list[pulumi.Resource]:
    """Declare what makes load balancers of class ``alb``; in a cluster that is brought, its owner has."""
    if settings.cluster.name is not None:
        return []
    if not settings.cluster.node_groups:
        made = AutoModeIngressClass(
            "alb",
            AutoModeIngressClassArgs(name=ALB, namespace=settings.namespace),
            opts=pulumi.ResourceOptions(provider=args.cluster.provider),
        )
        return [made.ingress_class]
    controller = LoadBalancerController(
        "load-balancer-controller",
        LoadBalancerControllerArgs(
            version=versions.LOAD_BALANCER_CONTROLLER,
            cluster_name=args.cluster.name,
            region=args.region,
            vpc_id=args.vpc.id,
            policy=_policy(args),
            class_name=ALB,
            namespace=settings.namespace,
            oidc_provider=args.oidc_provider,
        ),
        opts=pulumi.ResourceOptions(providers=[args.account, args.cluster.provider]),
    )
    return [controller.release]


def _policy(args: EksFrontArgs) -> pulumi.Output[str]:
    return pulumi.Output.all(
        partition=aws.get_partition_output(opts=args.look_up).partition,
        account=aws.get_caller_identity_output(opts=args.look_up).account_id,
        cluster=args.cluster.name,
        vpc=args.vpc.id,
        node_security_group=args.cluster.security_group_id,
    ).apply(lambda known: load_balancer_policy(Surroundings(region=args.region, **known)))
