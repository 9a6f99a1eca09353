"""Risky edits of a protected stack: what updates in place, what is replaced, what is refused, as docs/operations.md tells."""

import re
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pytest
from pulumi import automation as auto
from tenacity import retry, retry_if_exception, stop_after_attempt

import versions
from tests.built_tools import REPOSITORY
from tests.engine.brought import bring
from tests.engine.conftest import Drive, whole_program
from tests.engine.driven_stack import DrivenStack
from tests.engine.edits import ADDED, EDITS, Edit
from tests.engine.lifecycle import STATEFUL

PAGE = REPOSITORY / "docs" / "operations.md"
HEADER = ("| edit of `prod` | what happens | which resources |", "|---|---|---|")
UNREMARKABLE = ("pulumi:", "airflow-control-plane:", "eks:")
"""Types that stand for others."""

DESTRUCTIVE = ("replace", "delete", "delete-replaced", "create-replacement")
VERBS = {"update": "updates", "create": "creates", "delete": "deletes"}
MOST_NAMED = 6
"""Types that a cell of the table names before it counts the rest."""

PROTECTED = re.compile(
    r'resource "urn:[^"]*?([^$:"]+:[^$:"]+:[^$:"]+)::([^"]+)"\s+(?:as it is currently marked|cannot be deleted)'
)
SETTING = re.compile(r"^\s*([\w.]+: .*?); (allowed: .*?)$", re.MULTILINE)
PROVIDER = re.compile(r"((?:RDS|EKS|PostgreSQL) .*)")
UNNAMED = "Resource monitor has terminated"
"""All that is printed where the program ends, because the engine refused, before the engine's own words are out."""


def _is_unnamed(error: BaseException) -> bool:
    return isinstance(error, auto.CommandError) and UNNAMED in str(error) and _reason(str(error)) is None


@dataclass
class EditedProd:
    """``prod`` as it stands in the cloud, and the rows of the table, each made when it is first asked for."""

    drive: Drive
    inputs: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    rows: dict[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        self.stack: DrivenStack = self.drive("prod", self._program)
        bring(self.stack.cloud.account)
        for key, value in ADDED.items():
            self.stack.configure(key, value)
        self.stack.up()

    def row(self, edit: Edit) -> str:
        if edit.what not in self.rows:
            self.rows[edit.what] = f"| {edit.what} | {' | '.join(self._outcome(edit))} |"
        return self.rows[edit.what]

    def _program(self) -> None:
        def edited(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
            changed = self.inputs.get(args.type_)
            return pulumi.ResourceTransformResult({**args.props, **changed}, args.opts) if changed else None

        pulumi.runtime.register_resource_transform(edited)
        whole_program()

    def _outcome(self, edit: Edit) -> tuple[str, str]:
        self.inputs = edit.inputs
        with pytest.MonkeyPatch.context() as patch, self.stack.edited(edit.settings, edit.without):
            for name, value in edit.versions.items():
                patch.setattr(versions, name, value)
            try:
                steps = [step for step in self._steps() if not step[1].startswith(UNREMARKABLE)]
            except auto.CommandError as error:
                return "refused", _reason(str(error)) or pytest.fail(
                    f"refused for a reason that no pattern here knows:\n{error}"
                )
        gone = {typ for operation, typ in steps if operation in DESTRUCTIVE and typ.startswith(STATEFUL)}
        assert gone == set(), f"{edit.what} takes away what holds data without being refused"
        return _summary(steps)

    @retry(retry=retry_if_exception(_is_unnamed), stop=stop_after_attempt(3), reraise=True)
    def _steps(self) -> list[tuple[str, str]]:
        return self.stack.steps()


@pytest.fixture(scope="module")
def prod(drive: Drive) -> EditedProd:
    return EditedProd(drive)


def _summary(steps: list[tuple[str, str]]) -> tuple[str, str]:
    replaced = {typ for operation, typ in steps if operation == "replace"}
    named = {word: {typ for operation, typ in steps if operation == verb} - replaced for verb, word in VERBS.items()}
    parts = [f"{word} {_names(types)}" for word, types in named.items() if types]
    if replaced:
        return "replaces what holds no data", "; ".join([f"replaces {_names(replaced)}", *parts])
    return "deletes what holds no data" if named["deletes"] else "in place", "; ".join(parts)


def _names(types: set[str]) -> str:
    names = sorted({typ.rpartition(":")[2] for typ in types})
    more = [f"{len(names) - MOST_NAMED} more types"] if len(names) > MOST_NAMED else []
    return ", ".join([*names[:MOST_NAMED], *more])


def _reason(text: str) -> str | None:
    """Return why a preview was refused, in the words of who refused it, ``None`` where no pattern here knows them."""
    if protected := sorted(set(PROTECTED.findall(text))):
        held = [f"{typ.rpartition(':')[2]} {name}" for typ, name in protected]
        return f"{', '.join(held)}: protected"
    if setting := SETTING.search(text):
        return f"{setting[1]}; {setting[2]}"
    provider = PROVIDER.search(text)
    return provider[1].strip() if provider else None


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.what)
def test_an_edit_is_seen_and_takes_nothing_away_that_holds_data(prod: EditedProd, edit: Edit) -> None:
    assert not prod.row(edit).endswith("|  |"), "the edit changes nothing"


@pytest.mark.timeout(1200)
def test_docs_operations_has_the_table(prod: EditedProd, request: pytest.FixtureRequest) -> None:
    """Written with ``pytest tests/engine/test_edits.py --snapshot-update``."""
    before, header, rest = PAGE.read_text().partition(HEADER[0] + "\n")
    assert header, f"{PAGE.name} has no table to fill"
    _, _, after = f"\n{rest}".partition("\n\n")
    page = before + "\n".join([*HEADER, *map(prod.row, EDITS)]) + "\n\n" + after
    if request.config.getoption("update_snapshots"):
        PAGE.write_text(page)
    assert PAGE.read_text() == page


def test_nothing_was_changed_by_looking(prod: EditedProd) -> None:
    prod.row(EDITS[0])
    assert {call.verb for call in prod.stack.cloud.calls} == {"create"}
