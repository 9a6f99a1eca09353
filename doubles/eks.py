"""The eks provider: registers the component and the resources behind it with the engine, as the true one does."""
# ruff: noqa: N802 - the method names are the provider protocol's

import json
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2, resource_pb2, resource_pb2_grpc

from doubles import sdk_types, wire
from doubles.provider import ProviderDouble, Values


class EksDouble(ProviderDouble):
    """Makes ``eks:index:Cluster``: an EKS cluster and its role through the aws provider, and the outputs that follow."""

    package = "eks"

    def Handshake(self, request: Any, context: Any) -> Any:
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, accept_resources=True, accept_outputs=True)

    def Construct(self, request: Any, context: Any) -> Any:
        inputs = wire.without_outputs(wire.from_struct(request.inputs))
        if unknown := list(sdk_types.unknown_inputs(request.type, wire.plain(inputs))):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{request.type} {request.name}: {unknown}")
        if request.type != "eks:index:Cluster":
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"the double of eks does not make {request.type}")
        with grpc.insecure_channel(request.monitorEndpoint) as channel:
            return self._cluster(resource_pb2_grpc.ResourceMonitorStub(channel), request, inputs)

    def _cluster(self, monitor: Any, request: Any, inputs: Values) -> Any:
        options = {"protect": request.protect, "retainOnDelete": request.retainOnDelete}
        dependencies = list(request.dependencies)
        urn = monitor.RegisterResource(
            resource_pb2.RegisterResourceRequest(
                type=request.type,
                name=request.name,
                parent=request.parent,
                custom=False,
                dependencies=dependencies,
                aliases=request.aliases,
                acceptSecrets=True,
                acceptResources=True,
                supportsPartialValues=True,
                **options,
            )
        ).urn

        def child(token: str, name: str, values: Values, depends_on: list[str]) -> Any:
            request_ = resource_pb2.RegisterResourceRequest(
                type=token,
                name=name,
                parent=urn,
                custom=True,
                object=wire.to_struct({key: value for key, value in values.items() if value is not None}),
                dependencies=[*dependencies, *depends_on],
                provider=request.providers.get("aws", ""),
                acceptSecrets=True,
                acceptResources=True,
                supportsPartialValues=True,
                **options,
            )
            return monitor.RegisterResource(request_)

        trust = _trust("eks.amazonaws.com")
        role = child("aws:iam/role:Role", f"{request.name}-eksRole", {"assumeRolePolicy": trust}, [])
        subnets: list[str] = [
            *(inputs.get("privateSubnetIds") or []),
            *(inputs.get("publicSubnetIds") or []),
            *(inputs.get("subnetIds") or []),
        ]
        vpc_config: Values = {
            "subnetIds": subnets,
            "endpointPrivateAccess": inputs.get("endpointPrivateAccess"),
            "endpointPublicAccess": inputs.get("endpointPublicAccess"),
            "publicAccessCidrs": inputs.get("publicAccessCidrs"),
        }
        arguments: Values = {
            "name": inputs.get("name"),
            "version": inputs.get("version"),
            "roleArn": wire.from_struct(role.object).get("arn", wire.UNKNOWN),
            "vpcConfig": {key: value for key, value in vpc_config.items() if value is not None},
            "accessConfig": {"authenticationMode": inputs.get("authenticationMode")},
            "bootstrapSelfManagedAddons": inputs.get("bootstrapSelfManagedAddons"),
            "deletionProtection": inputs.get("deletionProtection"),
            "enabledClusterLogTypes": inputs.get("enabledClusterLogTypes"),
            "upgradePolicy": inputs.get("upgradePolicy"),
            **_encryption(inputs),
        }
        depends_on = [role.urn]
        if (inputs.get("autoMode") or {}).get("enabled"):
            node_trust = _trust("ec2.amazonaws.com")
            node_role = child("aws:iam/role:Role", f"{request.name}-nodeRole", {"assumeRolePolicy": node_trust}, [])
            depends_on.append(node_role.urn)
            arguments = {**arguments, **_auto_mode(wire.from_struct(node_role.object).get("arn", wire.UNKNOWN))}
        cluster = child("aws:eks/cluster:Cluster", f"{request.name}-eksCluster", arguments, depends_on)
        outputs = self._outputs(cluster, known=not request.dryRun)
        if inputs.get("createOidcProvider"):
            trusted: Values = {"url": outputs["oidcProviderUrl"], "clientIdLists": ["sts.amazonaws.com"]}
            name = f"{request.name}-oidcProvider"
            provider = child("aws:iam/openIdConnectProvider:OpenIdConnectProvider", name, trusted, [cluster.urn])
            outputs["oidcProviderArn"] = wire.from_struct(provider.object).get("arn", wire.UNKNOWN)
        state = wire.to_struct(outputs)
        monitor.RegisterResourceOutputs(resource_pb2.RegisterResourceOutputsRequest(urn=urn, outputs=state))
        return provider_pb2.ConstructResponse(urn=urn, state=state)

    def _outputs(self, cluster: Any, *, known: bool) -> dict[str, Any]:
        made = wire.from_struct(cluster.object)
        reference = wire.resource_reference(cluster.urn, cluster.id or wire.UNKNOWN)
        if not (known or cluster.id):
            names = ("kubeconfig", "kubeconfigJson", "clusterSecurityGroupId", "nodeSecurityGroupId", "autoModeNodeRoleName")
            unknown = dict.fromkeys((*names, "oidcProviderArn", "oidcProviderUrl", "oidcIssuer"), wire.UNKNOWN)
            return {**unknown, "eksCluster": reference, "core": {"cluster": reference, "endpoint": wire.UNKNOWN}}
        issuer = made["identities"][0]["oidcs"][0]["issuer"]
        host = issuer.removeprefix("https://")
        kubeconfig = _kubeconfig(made["name"], made["endpoint"], made["certificateAuthority"]["data"])
        return {
            "kubeconfig": kubeconfig,
            "kubeconfigJson": json.dumps(kubeconfig),
            "eksCluster": reference,
            "core": {"cluster": reference, "endpoint": made["endpoint"]},
            "clusterSecurityGroupId": "sg-0c1",
            "nodeSecurityGroupId": "sg-0c2",
            "oidcProviderUrl": issuer,
            "oidcIssuer": host,
            "oidcProviderArn": "",
            "autoModeNodeRoleName": f"{made['name']}-node",
        }


def _trust(service: str) -> str:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _encryption(inputs: Values) -> Values:
    key = inputs.get("encryptionConfigKeyArn")
    return {"encryptionConfig": {"provider": {"keyArn": key}, "resources": ["secrets"]}} if key else {}


def _auto_mode(node_role_arn: str) -> Values:
    """Return what Auto Mode asks of a cluster: compute, load balancing and block storage, all three or none."""
    pools = ["general-purpose", "system"]
    return {
        "computeConfig": {"enabled": True, "nodePools": pools, "nodeRoleArn": node_role_arn},
        "kubernetesNetworkConfig": {"elasticLoadBalancing": {"enabled": True}},
        "storageConfig": {"blockStorage": {"enabled": True}},
    }


def _kubeconfig(name: str, endpoint: str, authority: str) -> dict[str, Any]:
    execute = {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "command": "aws",
        "args": ["eks", "get-token", "--cluster-name", name],
    }
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "kubernetes", "cluster": {"server": endpoint, "certificate-authority-data": authority}}],
        "contexts": [{"name": "aws", "context": {"cluster": "kubernetes", "user": "aws"}}],
        "users": [{"name": "aws", "user": {"exec": execute}}],
        "current-context": "aws",
    }
