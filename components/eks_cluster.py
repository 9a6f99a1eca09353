"""The EKS cluster that workloads run in, whether ``cluster`` made it or it was there before."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as k8s

from components.kubernetes_provider import kubernetes_provider


@dataclass(frozen=True, kw_only=True)
class EksCluster:
    """A cluster that can be reached."""

    name: pulumi.Output[str]
    security_group_id: pulumi.Output[str]
    """Security group that EKS made, of the control plane and the nodes."""

    oidc_issuer: pulumi.Output[str]
    """Host and path, without ``https://``, of what issues the tokens of service accounts."""

    oidc_provider_arn: pulumi.Output[str] | None
    """IAM OIDC provider that trusts those tokens, where IRSA is asked for."""

    kubeconfig: pulumi.Output[str]
    """As JSON, without credentials: ``aws eks get-token`` asks for a token with those of whoever uses it."""

    provider: k8s.Provider
    """Reaches the cluster; what is made with it finds nodes, network and volumes ready."""


def existing_cluster(
    name: str, cluster_name: str, *, account: aws.Provider, oidc_provider: bool, invoke_opts: pulumi.InvokeOutputOptions
) -> EksCluster:
    """Look up a cluster that somebody else made. Its nodes, add-ons and access entries stay its owner's.

    ``account`` is the AWS provider that finds it. Whoever runs Pulumi needs an access entry in it. With ``oidc_provider`` the
    account has an IAM OIDC provider for it, or the lookup fails.
    """
    found = aws.eks.get_cluster_output(name=cluster_name, opts=invoke_opts)
    region = account.region
    text = pulumi.Output.all(found.arn, found.endpoint, found.certificate_authorities[0].data, region).apply(
        lambda parts: kubeconfig(cluster_name, arn=parts[0], endpoint=parts[1], certificate_authority=parts[2], region=parts[3])
    )
    secret = pulumi.Output.secret(text)
    issuer_url = found.identities[0].oidcs[0].issuer
    trusting = aws.iam.get_open_id_connect_provider_output(url=issuer_url, opts=invoke_opts).arn if oidc_provider else None
    return EksCluster(
        name=found.name,
        security_group_id=found.vpc_config.cluster_security_group_id,
        oidc_issuer=issuer_url.apply(lambda url: url.removeprefix("https://")),
        oidc_provider_arn=trusting,
        kubeconfig=secret,
        provider=kubernetes_provider(name, kubeconfig=secret),
    )


def kubeconfig(cluster_name: str, *, arn: str, endpoint: str, certificate_authority: str, region: str | None) -> str:
    """Return a kubeconfig, as JSON, that asks the AWS command line for a token at each use.

    Source: EKS user guide, "Connect kubectl to an EKS cluster by creating a kubeconfig file".
    """
    arguments = ["eks", "get-token", "--cluster-name", cluster_name, "--output", "json"]
    execute: Mapping[str, Any] = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "aws",
        "args": [*(["--region", region] if region else []), *arguments],
        "interactiveMode": "Never",
    }
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": arn, "cluster": {"server": endpoint, "certificate-authority-data": certificate_authority}}],
            "contexts": [{"name": arn, "context": {"cluster": arn, "user": arn}}],
            "users": [{"name": arn, "user": {"exec": execute}}],
            "current-context": arn,
        }
    )
