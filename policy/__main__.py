"""The pack as Pulumi runs it: each rule of ``policy.rules`` as a policy of the SDK."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pulumi_policy as sdk
from pulumi_policy.proxy import UnknownValueError

# Pulumi runs this folder, not the package.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from policy.model import UNKNOWN, Check, Resource, Rule, StackCheck
from policy.rules import RULES


def plain(value: Any) -> Any:
    """Return what the SDK's proxies hold, with ``UNKNOWN`` where they would raise."""
    if isinstance(value, Mapping):
        mapping = cast(Mapping[str, Any], value)
        return {key: _item(mapping, key) for key in mapping}
    if isinstance(value, Sequence) and not isinstance(value, str):
        sequence = cast(Sequence[Any], value)
        return [_item(sequence, index) for index in range(len(sequence))]
    return value


def _item(container: Any, key: str | int) -> Any:
    try:
        return plain(container[key])
    except UnknownValueError:
        return UNKNOWN


def resource_policy(rule: Rule, check: Check, level: sdk.EnforcementLevel) -> sdk.Policy:
    def validate(args: sdk.ResourceValidationArgs, report: sdk.ReportViolation) -> None:
        properties = plain(args.props)
        seen = Resource(
            type=args.resource_type, name=args.name, properties=properties, urn=args.urn, protect=bool(args.opts.protect)
        )
        for message in check(seen):
            report(message, args.urn)

    return sdk.ResourceValidationPolicy(rule.name, rule.description, validate, level)


def stack_policy(rule: Rule, check: StackCheck, level: sdk.EnforcementLevel) -> sdk.Policy:
    def validate(args: sdk.StackValidationArgs, report: sdk.ReportViolation) -> None:
        for finding in check([seen_in_stack(resource) for resource in args.resources]):
            report(finding.message, finding.resource.urn)

    return sdk.StackValidationPolicy(rule.name, rule.description, validate, level)


def seen_in_stack(resource: sdk.PolicyResource) -> Resource:
    return Resource(
        type=resource.resource_type,
        name=resource.name,
        properties=plain(resource.props),
        urn=resource.urn,
        protect=bool(resource.opts.protect),
        references={name: frozenset(one.urn for one in found) for name, found in resource.property_dependencies.items()},
    )


def policies(rule: Rule) -> list[sdk.Policy]:
    level = sdk.EnforcementLevel.ADVISORY if rule.advisory else sdk.EnforcementLevel.MANDATORY
    made: list[sdk.Policy] = []
    if rule.check is not None:
        made.append(resource_policy(rule, rule.check, level))
    if rule.stack_check is not None:
        made.append(stack_policy(rule, rule.stack_check, level))
    return made


sdk.PolicyPack(
    "airflow-control-plane",
    [policy for rule in RULES for policy in policies(rule)],
    enforcement_level=sdk.EnforcementLevel.MANDATORY,
)
