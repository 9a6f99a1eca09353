"""One param of a DAG: plain data, so that a sync that reads nothing anew needs nothing of what made it."""

from typing import Any, NamedTuple


class Parameter(NamedTuple):
    """One param, made of one argument of the job's parser. Everything in it is JSON."""

    key: str
    default: Any
    schema: dict[str, Any]
    """Keywords of Airflow's ``Param``: a JSON Schema and what the form shows beside the field."""

    option: list[Any]
    """The row ``argv_from`` makes arguments of."""
