"""What all sections of a stack's settings have in common."""

from typing import Any, cast

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.alias_generators import to_camel


class Section(BaseModel):
    """Base of every section: camelCase outside, frozen, no unknown keys."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _keep_defaults(cls, given: Any) -> Any:
        """Fill what a given section leaves out from this section's own default for it, not from its class's."""
        if not isinstance(given, dict):
            return given
        values = cast(dict[str, Any], given)
        for name, field in cls.model_fields.items():
            key = field.alias or name
            if isinstance(field.default, Section) and isinstance(values.get(key), dict):
                values = {**values, key: {**field.default.model_dump(mode="json", by_alias=True), **values[key]}}
        return values
