"""Pulumi's mock monitor, recording what a program registers and answering with readable stand-ins for unknown values."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from pulumi.runtime import mocks, rpc

PLACEHOLDERS = (
    "arn",
    "address",
    "bucket",
    "digest",
    "versionId",
    "endpoint",
    "fqdn",
    "identifier",
    "name",
    "registryId",
    "repositoryUrl",
    "urlSuffix",
)
"""Outputs that providers compute and this program reads; each becomes ``${resource.output}``."""

LOOKUPS: Mapping[str, dict[str, Any]] = {
    "aws:index/getAvailabilityZones:getAvailabilityZones": {"names": ["${zone-a}", "${zone-b}", "${zone-c}"]},
    "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": {"arn": "${oidc-provider.arn}"},
    "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": "${account}"},
    "aws:index/getPartition:getPartition": {"partition": "aws"},
    "aws:index/getRegion:getRegion": {"region": "${region}"},
    "aws:ec2/getSubnet:getSubnet": {"cidrBlock": "${subnet-cidr}"},
    "aws:ec2/getVpc:getVpc": {"cidrBlock": "${vpc-cidr}"},
    "aws:eks/getCluster:getCluster": {
        "name": "${cluster.name}",
        "arn": "${cluster.arn}",
        "endpoint": "${cluster.endpoint}",
        "certificateAuthorities": [{"data": "${cluster.certificateAuthority}"}],
        "identities": [{"oidcs": [{"issuer": "https://${cluster.issuer}"}]}],
        "vpcConfig": {"clusterSecurityGroupId": "${cluster.clusterSecurityGroupId}"},
    },
    "aws:lb/getHostedZoneId:getHostedZoneId": {"id": "${load-balancers-zone}"},
    "aws:route53/getZone:getZone": {"name": "example.com", "privateZone": False},
    "aws:s3/getBucket:getBucket": {"bucket": "${bucket.name}", "arn": "${bucket.arn}"},
    "aws:secretsmanager/getSecretVersion:getSecretVersion": {
        "secretString": json.dumps({"username": "${username}", "password": "${password}"})
    },
    "aws:ecr/getAuthorizationToken:getAuthorizationToken": {"userName": "AWS", "password": "${ecr-login}"},
}
"""Answers of the provider functions the program calls."""


@dataclass(frozen=True, kw_only=True)
class RecordedResource:
    """One registration, as the engine would have received it."""

    type: str
    """Pulumi type token."""

    name: str
    """Logical name."""

    urn: str
    custom: bool
    """False for components, which group others and exist in Pulumi alone."""

    remote: bool
    """True for components of another package, whose resources its provider registers."""

    inputs: dict[str, Any]
    parent: str
    """URN."""

    provider: str
    dependencies: tuple[str, ...]
    """URNs of every resource that must exist first."""

    protect: bool
    retain_on_delete: bool
    delete_before_replace: bool
    replace_on_changes: tuple[str, ...]


class Recorder(mocks.Mocks):
    """Answers a program as providers would, with placeholders, and refuses lookups that nobody foresaw."""

    def __init__(self) -> None:
        self.monitor = RecordingMonitor(self)

    @property
    def resources(self) -> list[RecordedResource]:
        """Every registration so far, in order."""
        return self.monitor.recorded

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        """Return the id and outputs of a resource: its inputs, and a placeholder for what a provider computes."""
        computed: dict[str, Any] = {}
        package = args.typ.partition(":")[0]
        if args.typ == "random:index/randomBytes:RandomBytes":
            # Keys are made of them, which a placeholder could not be. Nothing but its name is in it, and secrets are masked.
            raw = hashlib.shake_256(args.name.encode()).digest(int(cast(float, args.inputs["length"])))
            computed = {"base64": base64.b64encode(raw).decode(), "hex": raw.hex()}
        elif package == "random":
            computed = {"result": f"${{{args.name}}}"}
        elif package in ("aws", "docker-build"):
            computed = {key: f"${{{args.name}.{key}}}" for key in PLACEHOLDERS} | _taken_apart(args)
        elif args.typ == "kubernetes:networking.k8s.io/v1:Ingress":
            computed = {"status": {"loadBalancer": {"ingress": [{"hostname": f"${{{args.name}.loadBalancer}}"}]}}}
        elif args.typ == "eks:index:Cluster":
            computed = {
                "kubeconfigJson": json.dumps({"apiVersion": "v1", "kind": "Config"}),
                "clusterSecurityGroupId": f"${{{args.name}.clusterSecurityGroupId}}",
                "oidcIssuer": f"${{{args.name}.oidcIssuer}}",
                "oidcProviderArn": f"${{{args.name}.oidcProviderArn}}",
                "eksCluster": self.monitor.reference("aws:eks/cluster:Cluster", args.name),
            }
        return f"${{{args.name}.id}}", computed | args.inputs

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        """Return the answer of a provider function. Raises LookupError for one that is not in LOOKUPS."""
        if args.token not in LOOKUPS:
            raise LookupError(f"no answer for provider function {args.token}({args.args}); add it to LOOKUPS")
        return LOOKUPS[args.token], []


def _taken_apart(args: mocks.MockResourceArgs) -> dict[str, Any]:
    """Return what the program takes apart: ARNs, where RDS keeps the password it makes, the record that proves a domain."""
    match args.typ:
        case "aws:rds/instance:Instance":
            secret = f"arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!{args.name}-AbCdEf"
            managed = {"masterUserSecrets": [{"secretArn": secret}]} if args.inputs.get("manageMasterUserPassword") else {}
            return {"arn": f"arn:aws:rds:eu-west-1:123456789012:db:{args.name}", "resourceId": "db-ABCDEFGHIJKL", **managed}
        case "aws:rds/proxy:Proxy":
            return {"arn": "arn:aws:rds:eu-west-1:123456789012:db-proxy:prx-0123456789abcdef0"}
        case "aws:acm/certificate:Certificate":
            asked: dict[str, Any] = {"domainName": args.inputs["domainName"], "resourceRecordType": "CNAME"}
            keys = ("resourceRecordName", "resourceRecordValue")
            return {"domainValidationOptions": [{**asked, **{key: f"${{{args.name}.{key}}}" for key in keys}}]}
        case "aws:ec2/vpc:Vpc":
            return {"arn": "arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-0123456789abcdef0"}
        case _:
            return {}


class RecordingMonitor(mocks.MockMonitor):
    """Keeps every registration whole, options included."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder)
        self.recorded: list[RecordedResource] = []

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the name in Pulumi's protocol
        """Answer as the mock monitor does, and remember the request."""
        response = super().RegisterResource(request)
        if request.type != "pulumi:pulumi:Stack":
            self.recorded.append(
                RecordedResource(
                    type=request.type,
                    name=request.name,
                    urn=response.urn,
                    custom=request.custom,
                    remote=request.remote,
                    inputs=rpc.deserialize_properties(request.object),
                    parent=request.parent,
                    provider=request.provider,
                    dependencies=tuple(request.dependencies),
                    protect=request.protect,
                    retain_on_delete=request.retainOnDelete,
                    delete_before_replace=request.deleteBeforeReplace,
                    replace_on_changes=tuple(request.replaceOnChanges),
                )
            )
        return response

    def reference(self, typ: str, name: str) -> dict[str, Any]:
        """Return a reference to a resource inside a component of another package, and make it known."""
        urn, identity = self.make_urn("", typ, name), f"${{{name}.id}}"
        self.resources[urn] = mocks.MockMonitor.ResourceRegistration(urn, identity, {"name": f"${{{name}.name}}"})
        return {rpc._special_sig_key: rpc._special_resource_sig, "urn": urn, "id": identity, "packageVersion": ""}  # pyright: ignore[reportPrivateUsage] - the SDK has no public name for the signature
