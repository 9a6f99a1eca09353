"""Variants of ``dev`` live through the real engine, and differ from it in the resources they should, as reviewed snapshots."""

from dataclasses import dataclass

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.engine.account_contents import AccountContents
from tests.engine.brought import bring
from tests.engine.conftest import Drive
from tests.engine.driven_stack import DrivenStack
from tests.engine.resource_graph import resource_graph, reviewed_graph
from tests.engine.variants import REMOVED, VARIANTS


@dataclass
class Life:
    """What was seen of one stack: preview, up, preview, refresh, destroy."""

    stack: DrivenStack
    planned: dict[str, int]
    changed: dict[str, int]
    graph: list[str]
    replanned: dict[str, int]
    drift: dict[str, int]
    left: AccountContents
    brought: bool


def _is_brought(variant: str) -> bool:
    return variant.startswith("existing")


def configured(drive: Drive, variant: str) -> DrivenStack:
    """Return ``dev`` with the settings of a variant, in an account with what these name."""
    stack = drive("dev")
    if _is_brought(variant):
        bring(stack.cloud.account)
    for key in REMOVED.get(variant, ()):
        stack.remove(key)
    for key, value in VARIANTS[variant].items():
        stack.configure(key, value)
    return stack


@pytest.fixture(scope="module", params=VARIANTS)
def life(request: pytest.FixtureRequest, drive: Drive) -> Life:
    """Return a whole life of one variant."""
    stack = configured(drive, request.param)
    planned, changed = stack.preview(), stack.up()
    graph = resource_graph(stack.resources())
    replanned, drift = stack.preview(), stack.refresh()
    stack.destroy()
    return Life(
        stack, planned, changed, graph, replanned, drift, AccountContents.of(stack.cloud.account), _is_brought(request.param)
    )


def test_up_makes_what_the_preview_said(life: Life) -> None:
    assert set(life.planned) == {"create"}
    assert life.changed == life.planned


def test_a_preview_of_an_unchanged_stack_changes_nothing(life: Life) -> None:
    assert life.replanned == {}


def test_a_refresh_shows_no_drift(life: Life) -> None:
    assert life.drift == {}


def test_destroy_leaves_nothing(life: Life) -> None:
    assert life.stack.cloud.live == {}
    assert life.stack.resources() == []
    # What was brought stays.
    assert life.left.counts() == ({"issuers": 1} if life.brought else {})


def test_it_differs_from_dev_in_the_resources_that_were_reviewed(life: Life, snapshot: SnapshotAssertion) -> None:
    """What ``dev`` has and the variant has not, and the other way round."""
    dev, variant = set(reviewed_graph("dev")), set(life.graph)
    assert {"gone": sorted(dev - variant), "new": sorted(variant - dev)} == snapshot
