"""A job as a row of JSON: in the record of last good jobs, and in what is remembered of each module."""

import json
from operator import attrgetter
from typing import Any

from dagsync.checks import CHECKS, UnfitError, checked
from dagsync.declarations import plain
from dagsync.model import JobSpec
from dagsync.params import Parameter

encode_json = json.JSONEncoder(separators=(",", ":")).encode
"""Returns any plain value as JSON without blanks."""

# What the encoder does with a text in the end; four of each job take a twentieth of the way there.
_encode_text = json.encoder.encode_basestring_ascii

# What most jobs have: compared in one go, as a look at each option of each job costs as much as rendering.
_SPARSE = tuple(name for name in CHECKS if name != "docs")
_options_of = attrgetter(*_SPARSE)
_PLAIN = _options_of(JobSpec("", ""))


class Rows:
    """Encodes the jobs of one sync: each once, though two files have it, and each param once, though many jobs share it."""

    def __init__(self) -> None:
        # By identity, as neither is hashable or quick to compare; kept with what it is of, so that no identity is used again.
        self._jobs: dict[int, tuple[JobSpec, str]] = {}
        self._parameters: dict[int, tuple[Parameter, str]] = {}

    def text(self, spec: JobSpec) -> str:
        """Return a job as a JSON array: all that differs from a job without options."""
        known = self._jobs.get(id(spec))
        if known is None:
            known = self._jobs[id(spec)] = spec, self._encoded(spec)
        return known[1]

    def _encoded(self, spec: JobSpec) -> str:
        package, name, description, docs = map(_encode_text, (spec.package, spec.name, spec.description, spec.docs))
        head = f"{package},{name},{description},{spec.line},{docs}"
        options = _options_of(spec)
        changed = "{}"
        if options != _PLAIN:
            pairs = zip(_SPARSE, options, _PLAIN, strict=True)
            changed = encode_json({option: plain(value) for option, value, usual in pairs if value != usual})
        elif not spec.given and not spec.parameters:
            return f"[{head}]"
        given = encode_json(spec.given) if spec.given else "[]"
        return f"[{head},{given},{changed},[{','.join(map(self._parameter, spec.parameters))}]]"

    def _parameter(self, parameter: Parameter) -> str:
        known = self._parameters.get(id(parameter))
        if known is None:
            known = self._parameters[id(parameter)] = parameter, encode_json(parameter)
        return known[1]


def spec_from(row: list[Any]) -> JobSpec:
    """Return the job of a row of ``Rows.text``. Raises ``TypeError`` or ``ValueError`` for anything else."""
    package, name, description, line, docs, *more = row
    if not all(isinstance(text, str) for text in (package, name, description, docs)) or not isinstance(line, int):
        raise TypeError("not a job")
    if not more:
        return JobSpec(package, name, description, line, docs=docs)
    given, changed, parameters = more
    try:
        options: dict[str, Any] = {option: checked(option, value) for option, value in changed.items()}
    except (UnfitError, KeyError, AttributeError) as error:
        raise TypeError("not a job") from error
    known = tuple(option for option in given if option in CHECKS)
    form = tuple(Parameter(*parameter) for parameter in parameters)
    return JobSpec(package, name, description, line, known, docs=docs, **options, parameters=form)
