"""The aws provider: names, ARNs, endpoints and ids as AWS would give them, and no resource behind them.

Of S3, Secrets Manager, IAM and ECR it makes nothing up; ``doubles.aws_live`` has them on a server.
"""

import itertools
import json
import secrets
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from doubles import aws_enums, sdk_types, wire
from doubles.aws_facts import IDS, NAME_LIMITS, NAME_PROPERTIES, REPLACING
from doubles.aws_refusals import refusal
from doubles.differences import Difference
from doubles.provider import ProviderDouble, RefusedError, Values

ACCOUNT = "123456789012"
REGION = "eu-west-1"


class AwsDouble(ProviderDouble):
    """Refuses inputs the SDK has no types for, and changes of types whose replacement rules nobody has written down."""

    package = "aws"

    def __init__(self, ledger: Any, account: str = ACCOUNT) -> None:
        super().__init__(ledger)
        self._account = account
        self._serial = itertools.count(1)
        self._versions: defaultdict[str, Iterator[int]] = defaultdict(lambda: itertools.count(2))

    def problems(self, token: str, news: Values) -> Iterator[tuple[str, str]]:
        inputs = {key: value for key, value in news.items() if key != "__defaults"}
        yield from sdk_types.unknown_inputs(token, inputs)
        yield from aws_enums.unlisted(token, inputs)

    def defaults(self, token: str, name: str, news: Values, olds: Values) -> Values:
        return {**self._default_tags(token, news), **self._default_name(token, name, news, olds)}

    def _default_tags(self, token: str, news: Values) -> Values:
        """Return the tags with those of the provider's configuration, which it adds to all that can have some."""
        configured = self.config.get("defaultTags")
        # Nested configuration of a provider travels as JSON.
        configured = json.loads(configured) if isinstance(configured, str) else configured
        tags = wire.struct_in(configured, "tags") if wire.is_object(configured) else {}
        if not tags or "tags" not in sdk_types.input_names(token) or news.get("tags") == wire.UNKNOWN:
            return {}
        return {"tags": {**tags, **(news.get("tags") or {})}}

    def _default_name(self, token: str, name: str, news: Values, olds: Values) -> Values:
        prop = NAME_PROPERTIES.get(token, "name" if "namePrefix" in sdk_types.input_names(token) else None)
        if prop is None or prop in news or f"{prop}Prefix" in news:
            return {}
        return {prop: olds.get(prop) or f"{name}-{secrets.token_hex(4)[:7]}", "__defaults": [prop]}

    def replaces(self, token: str, difference: Difference, news: Values) -> bool:
        if token not in REPLACING:
            raise RefusedError(f"{difference} of {token} changed: say in doubles/aws_facts.py what replaces it")
        if reason := refusal(token, difference, news):
            raise RefusedError(reason)
        if difference.path[0] == "tags":
            return False
        patterns = REPLACING[token] | {"region"}
        if difference.kind == "DELETE" and f"-{difference.path[0]}" in patterns:
            return True
        return "*" in patterns or any(difference.touches(pattern) for pattern in patterns)

    def replaced_in_place(self, token: str, olds: Values, news: Values) -> bool:
        """A name somebody chose cannot be had twice; one the provider made up can."""
        prop = NAME_PROPERTIES.get(token, "name")
        return prop in news and prop not in news.get("__defaults", ()) and olds.get(prop) == news.get(prop)

    def admit(self, token: str, inputs: Values, *, dry_run: bool) -> None:
        name, limit = str(inputs.get(NAME_PROPERTIES.get(token, "name"), "")), NAME_LIMITS.get(token)
        if limit is not None and len(name) > limit:
            raise RefusedError(f"{token} {name!r}: {len(name)} characters, allowed are {limit}")

    def release(self, token: str, resource_id: str, inputs: Values) -> None:
        if inputs.get("deletionProtection") or inputs.get("deletionProtectionEnabled"):
            raise RefusedError(f"{token} {resource_id!r} is protected against deletion")

    def identity(self, token: str, name: str, inputs: Values) -> str:
        if token in IDS:
            return f"{IDS[token]}-{next(self._serial):017x}"
        prop = NAME_PROPERTIES.get(token, "name")
        return str(inputs[prop]) if prop in inputs else f"{name}-{next(self._serial)}"

    def unknown(self, token: str, inputs: Values) -> Values:
        return sdk_types.unknown_outputs(token, inputs)

    def computed(self, token: str, name: str, resource_id: str, inputs: Values) -> Values:
        types = sdk_types.output_types(token)
        outputs = {key: sdk_types.blank(kind) for key, kind in types.items() if key not in inputs}
        texts = {key: f"{resource_id}-{key}" for key, kind in types.items() if kind is str and key not in inputs}
        known = {"arn": self._arn(token, resource_id), "region": self._region(inputs), "tagsAll": inputs.get("tags", {})}
        outputs |= (
            texts | {key: value for key, value in known.items() if key in outputs} | self._special(token, resource_id, inputs)
        )
        return {key: value for key, value in outputs.items() if value is not None and key not in ("id", "urn")}

    def _region(self, inputs: Values) -> str:
        return inputs.get("region") or self.config.get("region") or REGION

    def _special(self, token: str, resource_id: str, inputs: Values) -> dict[str, Any]:
        region = self._region(inputs)
        match token.rpartition(":")[2], token.split(":")[1].partition("/")[0]:
            case "Instance", "rds":
                address, port = f"{resource_id}.c0ffee.{region}.rds.amazonaws.com", inputs.get("port", 5432)
                kept = {
                    "secretArn": f"{self._arn('aws:secretsmanager/secret:Secret', 'rds!db-1')}-AbCdEf",
                    "secretStatus": "active",
                }
                managed = {"masterUserSecrets": [kept]} if inputs.get("manageMasterUserPassword") else {}
                return {"address": address, "port": port, "endpoint": f"{address}:{port}", **managed}
            case "Proxy", "rds":
                endpoint = f"{resource_id}.proxy-c0ffee.{region}.rds.amazonaws.com"
                return {
                    "endpoint": endpoint,
                    "arn": f"arn:aws:rds:{region}:{self._account}:db-proxy:prx-{len(resource_id):017x}",
                }
            case "Cluster", "eks":
                oidc = [{"oidcs": [{"issuer": f"https://oidc.eks.{region}.amazonaws.com/id/{resource_id.upper()}"}]}]
                authority = {"data": "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg=="}
                endpoint = f"https://{resource_id}.gr7.{region}.eks.amazonaws.com"
                return {"endpoint": endpoint, "identities": oidc, "certificateAuthority": authority, "status": "ACTIVE"}
            case "LaunchTemplate", _:
                return {"latestVersion": 1, "defaultVersion": 1}
            case "Eip", _:
                return {"allocationId": resource_id, "publicIp": "203.0.113.7"}
            case "Certificate", "acm":
                host = inputs["domainName"]
                proof = {
                    "resourceRecordName": f"_c0ffee.{host}.",
                    "resourceRecordValue": f"_beef.{resource_id}.acm-validations.aws.",
                }
                return {
                    "domainValidationOptions": [{"domainName": host, "resourceRecordType": "CNAME", **proof}],
                    "status": "ISSUED",
                }
            case "Record", "route53":
                return {"fqdn": str(inputs["name"]).rstrip(".")}
            case "Key", "kms":
                return {"keyId": resource_id}
            case _:
                return {}

    def updated(self, token: str, resource_id: str, inputs: Values) -> Values:
        """A changed launch template is a new version of it, which is what rolls the nodes."""
        return {"latestVersion": next(self._versions[resource_id])} if token.endswith(":LaunchTemplate") else {}

    def invoke(self, token: str, arguments: Values) -> Values:
        region = self._region(arguments)
        match token.rpartition(":")[2]:
            case "getAvailabilityZones":
                zones = [f"{region}{letter}" for letter in "abc"]
                return {
                    "id": region,
                    "names": zones,
                    "zoneIds": [f"euw1-az{i}" for i in (1, 2, 3)],
                    "groupNames": [region],
                    "state": "available",
                }
            case "getRegion":
                return {
                    "id": region,
                    "name": region,
                    "region": region,
                    "description": "Europe (Ireland)",
                    "endpoint": f"ec2.{region}.amazonaws.com",
                }
            case "getCallerIdentity":
                return {
                    "id": self._account,
                    "accountId": self._account,
                    "arn": f"arn:aws:iam::{self._account}:user/deployer",
                    "userId": "AIDAEXAMPLE",
                }
            case "getPartition":
                return {"id": "aws", "partition": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws"}
            case "getZone":
                return {"id": arguments["zoneId"], "zoneId": arguments["zoneId"], "name": "example.com", "privateZone": False}
            case "getHostedZoneId":
                return {"id": "Z32O12XQLNTSW2"}
            case "getVpc":
                return {"id": arguments["id"], "cidrBlock": "172.31.0.0/16"}
            case "getSubnet":
                # The number in its id says which of the VPC's ranges it has.
                return {"id": arguments["id"], "cidrBlock": f"172.31.{int(arguments['id'][-2:], 16)}.0/24"}
            case "getCluster":
                name = arguments["name"]
                token = "aws:eks/cluster:Cluster"
                made = {"name": name, "arn": self._arn(token, name), **self._special(token, name, arguments)}
                authorities = [made["certificateAuthority"]]
                group = {"clusterSecurityGroupId": "sg-0c3"}
                return {"id": name, **made, "certificateAuthorities": authorities, "vpcConfig": group}
            case _:
                return super().invoke(token, arguments)

    def _arn(self, token: str, resource_id: str) -> str:
        service, kind = token.split(":")[1].split("/")
        path = f"{'db' if kind == 'instance' else kind}:{resource_id}" if service == "rds" else f"{kind}/{resource_id}"
        return f"arn:aws:{service}:{REGION}:{self._account}:{path}"
