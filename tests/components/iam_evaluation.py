"""As much of IAM's policy evaluation as the documents here use: an identity policy, one request, yes or no.

Source: IAM user guide, "Policy evaluation logic" and "IAM JSON policy elements: Condition operators".
"""

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any


class UnknownElementError(LookupError):
    """The document uses an element that is not evaluated here, so no answer would be worth anything."""


def allows(document: str, action: str, resource: str, context: Mapping[str, str] | None = None) -> bool:
    """Tell whether an identity policy allows ``action`` on ``resource``; ``context`` holds the request's condition keys.

    Raises UnknownElementError.
    """
    statements = [s for s in _list(json.loads(document)["Statement"]) if _applies(s, action, resource, context or {})]
    effects = {statement["Effect"] for statement in statements}
    return effects == {"Allow"}


def _applies(statement: Mapping[str, Any], action: str, resource: str, context: Mapping[str, str]) -> bool:
    if unknown := statement.keys() - {"Sid", "Effect", "Action", "Resource", "Condition"}:
        raise UnknownElementError(f"no evaluation of {sorted(unknown)}")
    # Actions are matched without regard to case, resources are not.
    matches_action = any(fnmatchcase(action.lower(), pattern.lower()) for pattern in _list(statement["Action"]))
    matches_resource = any(fnmatchcase(resource, pattern) for pattern in _list(statement["Resource"]))
    return matches_action and matches_resource and _conditions_hold(statement.get("Condition", {}), context)


def _conditions_hold(conditions: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> bool:
    return all(
        _holds(operator, context.get(key), _list(values))
        for operator, keys in conditions.items()
        for key, values in keys.items()
    )


def _holds(operator: str, value: str | None, wanted: list[str]) -> bool:
    if operator == "Null":
        return [str(one).lower() for one in wanted] == [str(value is None).lower()]
    if value is None:
        return False
    match operator:
        case "StringEquals":
            return value in wanted
        case "StringLike" | "ArnLike":
            return any(fnmatchcase(value, pattern) for pattern in wanted)
        case "Bool":
            return value.lower() in [str(one).lower() for one in wanted]
        case _:
            raise UnknownElementError(f"no evaluation of {operator}")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
