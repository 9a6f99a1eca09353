"""Which inputs take one of a few words, by the AWS SDK's own models of the APIs, where Pulumi's types say only ``str``."""

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import botocore.session

from doubles.wire import UNKNOWN, is_list, is_object

ENUMS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "aws:cloudwatch/logGroup:LogGroup": {"logGroupClass": ("logs", "LogGroupClass")},
    "aws:cloudwatch/metricAlarm:MetricAlarm": {
        "comparisonOperator": ("cloudwatch", "ComparisonOperator"),
        "statistic": ("cloudwatch", "Statistic"),
    },
    "aws:ec2/eip:Eip": {"domain": ("ec2", "DomainType")},
    "aws:ec2/flowLog:FlowLog": {"trafficType": ("ec2", "TrafficType"), "logDestinationType": ("ec2", "LogDestinationType")},
    "aws:ec2/launchTemplate:LaunchTemplate": {
        "blockDeviceMappings.ebs.volumeType": ("ec2", "VolumeType"),
        "metadataOptions.httpTokens": ("ec2", "LaunchTemplateHttpTokensState"),
    },
    "aws:ec2/natGateway:NatGateway": {"connectivityType": ("ec2", "ConnectivityType")},
    "aws:ec2/vpcEndpoint:VpcEndpoint": {"vpcEndpointType": ("ec2", "VpcEndpointType")},
    "aws:ecr/repository:Repository": {
        "encryptionConfigurations.encryptionType": ("ecr", "EncryptionType"),
        "imageTagMutability": ("ecr", "ImageTagMutability"),
        "imageTagMutabilityExclusionFilters.filterType": ("ecr", "ImageTagMutabilityExclusionFilterType"),
    },
    "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": {"accessScope.type": ("eks", "AccessScopeType")},
    "aws:eks/addon:Addon": {
        "resolveConflictsOnCreate": ("eks", "ResolveConflicts"),
        "resolveConflictsOnUpdate": ("eks", "ResolveConflicts"),
    },
    "aws:eks/cluster:Cluster": {
        "accessConfig.authenticationMode": ("eks", "AuthenticationMode"),
        "enabledClusterLogTypes": ("eks", "LogType"),
        "upgradePolicy.supportType": ("eks", "SupportType"),
    },
    "aws:eks/nodeGroup:NodeGroup": {"amiType": ("eks", "AMITypes"), "capacityType": ("eks", "CapacityTypes")},
    "aws:rds/proxy:Proxy": {
        "auths.authScheme": ("rds", "AuthScheme"),
        "auths.clientPasswordAuthType": ("rds", "ClientPasswordAuthType"),
        "auths.iamAuth": ("rds", "IAMAuthMode"),
        "defaultAuthScheme": ("rds", "DefaultAuthScheme"),
        "engineFamily": ("rds", "EngineFamily"),
    },
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": {"rules.status": ("s3", "ExpirationStatus")},
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": {"rule.objectOwnership": ("s3", "ObjectOwnership")},
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": {
        "rules.applyServerSideEncryptionByDefault.sseAlgorithm": ("s3", "ServerSideEncryption")
    },
    "aws:s3/bucketVersioning:BucketVersioning": {"versioningConfiguration.status": ("s3", "BucketVersioningStatus")},
}
"""Type to inputs, lists passed through, to service and shape in botocore."""


def unlisted(token: str, inputs: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield path and reason of every value that AWS has no such word for."""
    for path, (service, shape) in ENUMS.get(token, {}).items():
        for value in _values(inputs, path.split(".")):
            if value != UNKNOWN and value not in (allowed := words(service, shape)):
                yield path, f"{value!r} is none of {', '.join(allowed)}"


@functools.cache
def words(service: str, shape: str) -> tuple[str, ...]:
    """Return the values of an enum in botocore's model of a service."""
    found: Any = _model(service).shape_for(shape)
    return tuple(found.enum)


@functools.cache
def _model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def _values(value: Any, path: list[str]) -> Iterator[Any]:
    if is_list(value):
        for item in value:
            yield from _values(item, path)
    elif not path:
        yield value
    elif is_object(value) and path[0] in value:
        yield from _values(value[path[0]], path[1:])
