"""Params and argparse agree: the arguments made of any values parse to exactly those values."""

import argparse
import importlib
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from dagsync.argv import argv_from
from dagsync.params import Parameter
from dagsync.reading import read_job

Json = Any
TYPES: dict[str, Any] = {
    "": str,
    "int": int,
    "float": float,
    "str": str,
    "Path": Path,
    "half": lambda text: text[: len(text) // 2],
}

SHAPES = ["one", "one", "flag", "off", "toggle", "truth", "count", "append", "some", "any", "two", "maybe", "extend"]

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["-x", "--flag", "-5", "-1e-7", "a b", "-a b", "=", "--o=1", "-", "", "@file", "%s"]
)
scalars: dict[str, st.SearchStrategy[Json]] = {
    "int": st.integers(-(10**15), 10**15),
    "float": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-1000, 1000).map(float),
}


def values_of(kind: str) -> st.SearchStrategy[Json]:
    return scalars.get(kind, texts)


@dataclass(frozen=True)
class Generated:
    """One argument as source, and what values it may be given."""

    dest: str
    source: str
    values: st.SearchStrategy[Json]
    """Of the param; ``None`` is added where nothing may be given."""

    kind: str
    shape: str
    required: bool = False


@st.composite
def options(draw: st.DrawFn, number: int, may_require: bool) -> Generated:
    dest = f"o{number}"
    names = draw(
        st.sampled_from([f"'--{dest}'", f"'-{chr(97 + number)}', '--{dest}'", f"'--{dest}', '--also-{dest}'", f"'-{dest}'"])
    )
    shape = draw(
        st.sampled_from(
            ["one", "one", "flag", "off", "toggle", "count", "append", "some", "any", "two", "maybe", "extend", "truth"]
        )
    )
    if "--" not in names and shape == "toggle":
        shape = "flag"
    match shape:
        case "flag":
            return Generated(dest, f"{names}, action='store_true'", st.booleans(), "", shape)
        case "off":
            return Generated(dest, f"{names}, action='store_false', help='100 %% sure'", st.booleans(), "", shape)
        case "toggle":
            default = draw(st.sampled_from([True, False, None]))
            source = f"{names}, action=argparse.BooleanOptionalAction, default={default}"
            return Generated(dest, source, st.booleans() | st.none() if default is None else st.booleans(), "", shape)
        case "truth":
            default = draw(st.sampled_from([True, False, None, "False", ""]))
            source = f"{names}, type=bool, default={default!r}"
            return Generated(dest, source, st.booleans() | st.none() if default is None else st.booleans(), "", shape)
        case "count":
            default = draw(st.sampled_from([None, 0, 2]))
            least = 1 if default is None else default
            return Generated(dest, f"{names}, action='count', default={default}", st.integers(least, least + 3), "", shape)
        case _:
            pass
    kind = draw(st.sampled_from(list(TYPES)))
    parts = [names] + ([f"type={kind}"] if kind else [])
    values = values_of(kind)
    if kind != "half" and draw(st.booleans()):
        chosen = draw(st.lists(values, min_size=1, max_size=4, unique=True))
        values = st.sampled_from(chosen)
        parts.append(
            f"choices={[Path(each) for each in chosen]!r}".replace("PosixPath", "Path")
            if kind == "Path"
            else f"choices={chosen!r}"
        )
    many = {"some": ("'+'", 1, 4), "any": ("'*'", 0, 4), "two": ("2", 2, 2), "extend": ("'*'", 0, 4)}
    required = False
    if shape in many:
        nargs, least, most = many[shape]
        parts.append(f"nargs={nargs}")
        values = st.lists(values, min_size=least, max_size=most)
    if shape == "append":
        values = st.lists(values, max_size=3)
    if shape in {"append", "extend"}:
        parts.append(f"action={shape!r}")
    elif shape == "maybe":
        parts += ["nargs='?'", "const=7"]
        values = values | st.just(True)
    if shape not in {"append", "extend"}:
        required = may_require and draw(st.integers(0, 3)) == 0
        if required:
            parts.append("required=True")
        elif kind != "Path" and draw(st.booleans()):
            default = draw(values.filter(lambda value: value is not True))
            parts.append(f"default={default!r}")
    if draw(st.booleans()):
        parts.append(f"help={draw(texts).replace('%', '')!r}")
    return Generated(dest, ", ".join(parts), values, kind, shape, required)


@st.composite
def positionals(draw: st.DrawFn, may_require: bool) -> list[Generated]:
    found: list[Generated] = []
    optional: list[list[str]] = [[], ["any"], ["maybe"], ["maybe", "any"]]
    requiring = [["one"], ["one", "any"], ["two", "one"], ["some"], ["any", "one"], ["maybe", "one"]]
    shapes = draw(st.sampled_from(optional + requiring if may_require else optional))
    for number, shape in enumerate(shapes):
        kind = draw(st.sampled_from(["", "int", "float"]))
        nargs = {"any": ", nargs='*'", "two": ", nargs=2", "some": ", nargs='+'", "maybe": ", nargs='?'", "one": ""}[shape]
        least, most = {"any": (0, 3), "two": (2, 2), "some": (1, 3)}.get(shape, (0, 0))
        values = st.lists(values_of(kind), min_size=least, max_size=most) if most else values_of(kind)
        required = shape in {"one", "two", "some"}
        typed = f", type={kind}" if kind else ""
        found.append(Generated(f"p{number}", f"'p{number}'{nargs}{typed}", values, kind, shape, required))
    return found


@st.composite
def parsers(draw: st.DrawFn, may_require: bool = True) -> tuple[list[Generated], str]:
    """Arguments, and the source of a job that adds them, some to groups and some by way of a function."""
    arguments = [draw(options(number, may_require)) for number in range(draw(st.integers(0, 5)))] + draw(
        positionals(may_require)
    )
    lines = ["parser = argparse.ArgumentParser('job')", "group = parser.add_argument_group('Group', 'of some')"]
    lines += [f"{draw(st.sampled_from(['parser', 'group']))}.add_argument({each.source})" for each in arguments]
    body = "".join(f"    {line}\n" for line in lines)
    if draw(st.booleans()):
        source = f"def build():\n{body}    return parser\n\ndef main(argv):\n    return build().parse_args(argv)\n"
    else:
        source = f"def main(argv):\n{body}    return parser.parse_args(argv)\n"
    head = "import argparse\nfrom pathlib import Path\n\ndef half(text):\n    return text[: len(text) // 2]\n\n"
    return arguments, f'{head}{source}\nJOB = (main, "A job")\n'


def run(source: str, argv: list[str]) -> dict[str, Any]:
    """Return what the job's own parser makes of the arguments."""
    namespace: dict[str, Any] = {}
    exec(compile(source, "job.py", "exec"), namespace)
    try:
        return vars(namespace["main"](argv))
    except SystemExit:
        raise AssertionError(f"the parser refuses {argv}") from None


def params(source: str) -> dict[str, Parameter]:
    reading = read_job(source.encode(), "p", "job", "p/jobs/job.py")
    assert reading.spec is not None
    assert reading.notes == ()
    return {each.key: each for each in reading.spec.parameters}


def is_valid(parameter: Parameter, value: Json) -> bool:
    return bool(Draft202012Validator(parameter.schema, format_checker=FormatChecker()).is_valid(value))


def expected(argument: Generated, value: Json) -> Any:
    """Return what the name is when the option is given this value on a command line."""
    convert = TYPES.get(argument.kind, str)
    if argument.shape in {"flag", "off", "toggle", "truth", "count"}:
        return value
    if argument.shape == "maybe" and value is True:
        return 7
    if isinstance(value, list):
        return [each if convert is float else convert(str(each)) for each in value]
    return value if convert is float else convert(str(value))


@settings(max_examples=400)
@given(st.data(), parsers())
def test_arguments_made_of_values_parse_to_them(data: st.DataObject, generated: tuple[list[Generated], str]) -> None:
    arguments, source = generated
    found = params(source)
    assert set(found) == {argument.dest for argument in arguments}
    values: dict[str, Json] = {}
    for argument in arguments:
        optional = argument.values if argument.required else st.none() | argument.values
        values[argument.dest] = data.draw(optional, label=argument.dest)
        assume(values[argument.dest] is None or is_valid(found[argument.dest], values[argument.dest]))
    refusal = ""
    argv: list[str] = []
    try:
        argv = argv_from([each.option for each in found.values()], json.loads(json.dumps(values)))
    except ValueError as error:
        refusal = str(error)
    # What no command line can say is said in a sentence.
    assert not refusal or any(reason in refusal for reason in ("begins with a dash", "'--'", "given together with"))
    assume(not refusal)
    parsed = run(source, argv)
    for argument in arguments:
        value = values[argument.dest]
        if value is None or (argument.shape in {"append", "extend"} and value == []):
            continue
        if value == found[argument.dest].option[3]:
            # Nothing is given: the parser's own default stands, converted or not.
            continue
        assert parsed[argument.dest] == expected(argument, value), argv


@settings(max_examples=300)
@given(parsers(may_require=False))
def test_defaults_of_the_form_are_the_parsers(generated: tuple[list[Generated], str]) -> None:
    _, source = generated
    found = params(source)
    defaults = {key: parameter.default for key, parameter in found.items()}
    assert argv_from([each.option for each in found.values()], defaults) == []
    for parameter in found.values():
        assert is_valid(parameter, parameter.default), parameter


@settings(max_examples=200)
@given(parsers())
def test_required_arguments_may_be_left_to_raw_ones(generated: tuple[list[Generated], str]) -> None:
    arguments, source = generated
    found = params(source)
    for argument in arguments:
        if argument.required:
            parameter = found[argument.dest]
            # A run that is given args must not fail for want of a field, and a field left alone is not "given".
            assert is_valid(parameter, parameter.default)
            assert parameter.option[3] is None


EXAMPLES = Path(__file__).parents[2] / "examples" / "packages"
GIVEN: dict[str, Mapping[str, Json]] = {
    "catalog.check_supplier": {"base_url": "http://127.0.0.1:1/-x=y", "page": 2},
    "catalog.fetch_products": {"base_url": "http://127.0.0.1:1/-x=y"},
    "catalog.load_products": {"keep_listed": True},
    "catalog.low_stock": {"days": 3},
    "customers.predict_churn": {"churned_after": 30},
    "customers.segment_customers": {
        "as_of": "2026-02-01",
        "recent_days": 5,
        "champion_euros": 9,
        "only": ["active", "lapsing"],
    },
    "customers.update_customers": {"full": True},
    "finance.convert_orders": {"rates": "/data/rates.csv"},
    "finance.product_margin": {"top": 3},
    "quality.check_orders": {"max_bad_percent": 0.5, "min_orders": 7},
    "quality.profile_warehouse": {"tables": ["orders", "-odd"]},
    "sales.archive_orders": {"month": "2026-02", "level": 9},
    "sales.daily_revenue": {"date": "2026-01-31", "format": "json"},
    "sales.load_orders": {"source": "a b.csv", "date": "2026-01-31", "limit": "12"},
}


def imported(name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Import a module, with stand-ins for libraries it needs that are not installed."""
    while True:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as missing:
            monkeypatch.setitem(sys.modules, str(missing.name), MagicMock())


def example(ref: str, monkeypatch: pytest.MonkeyPatch, values: Mapping[str, Json] | None) -> tuple[dict[str, Any], list[str]]:
    """Return what an example's parser makes of its params and of nothing but its declared arguments."""
    package, _, name = ref.partition(".")
    path = EXAMPLES / package / "jobs" / f"{name}.py"
    spec = read_job(path.read_bytes(), package, name, str(path)).spec
    assert spec is not None
    assert spec.parameters
    given = {each.key: each.default for each in spec.parameters} | dict(values or {})
    argv = argv_from([each.option for each in spec.parameters], given)

    class Parsed(BaseException):
        pass

    def stop(parser: argparse.ArgumentParser, argv: list[str]) -> None:
        raise Parsed(parser.parse_known_args(argv)[0])

    monkeypatch.syspath_prepend(str(EXAMPLES))
    entrypoint = imported(f"{package}.jobs.{name}", monkeypatch).main
    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", stop)
    found: list[dict[str, Any]] = []
    for arguments in (argv, list(spec.args)):
        with pytest.raises(Parsed) as parsed:
            entrypoint(arguments)
        found.append(vars(parsed.value.args[0]))
    return found[0], [key for key in found[0] if found[0][key] != found[1][key]]


@pytest.mark.parametrize("ref", GIVEN)
def test_examples_get_from_the_form_what_was_filled_in(ref: str, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed, changed = example(ref, monkeypatch, GIVEN[ref])
    for key, value in GIVEN[ref].items():
        assert str(parsed[key]) == str(value)
    assert sorted(changed) == sorted(GIVEN[ref])


@pytest.mark.parametrize("ref", GIVEN)
def test_examples_run_from_an_untouched_form_as_without_one(ref: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _, changed = example(ref, monkeypatch, None)
    assert changed == []


def test_every_example_is_tried() -> None:
    modules = [path for path in EXAMPLES.glob("*/jobs/*.py") if path.name != "__init__.py"]
    assert {f"{path.parents[1].name}.{path.stem}" for path in modules} == set(GIVEN)
