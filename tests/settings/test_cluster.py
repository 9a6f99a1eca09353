"""Settings of the cluster that is made."""

import pytest

from settings import SettingsError, load_settings
from tests.settings.test_brought import stack

GROUP = {"instanceTypes": ["m7i.large"]}
TEAM = "arn:aws:iam::123456789012:role/platform"


def test_a_node_group_needs_its_instance_types_and_has_defaults_for_the_rest():
    group = load_settings(stack(cluster={"nodeGroups": {"main": GROUP}}), stack="test").cluster.node_groups["main"]
    assert (group.min_size, group.max_size, group.disk_gib, group.capacity) == (2, 4, 50, "onDemand")
    with pytest.raises(SettingsError, match=r"cluster\.nodeGroups\.main\.instanceTypes"):
        load_settings(stack(cluster={"nodeGroups": {"main": {}}}), stack="test")


def test_an_unknown_key_of_a_node_group_is_answered_with_the_one_that_was_meant():
    with pytest.raises(SettingsError, match=r"did you mean cluster\.nodeGroups\.main\.minSize\?"):
        load_settings(stack(cluster={"nodeGroups": {"main": GROUP | {"minSizes": 1}}}), stack="test")


@pytest.mark.parametrize(
    ("sections", "told"),
    [
        ({"cluster": {"nodeGroups": {"main": GROUP}, "version": "1.34"}}, "cluster.version: '1.34'"),
        ({"cluster": {"nodeGroups": {"main": GROUP | {"minSize": 9}}}}, "cluster.nodeGroups.main.maxSize: 4"),
        ({"cluster": {"administrators": [TEAM], "viewers": [TEAM]}}, f"cluster.viewers: '{TEAM}'"),
        (
            {"image": {"reference": "registry.example.com/airflow:1", "architecture": "arm64"}},
            "image.architecture: 'arm64'",
        ),
    ],
)
def test_a_combination_that_cannot_work_is_refused(sections: dict[str, dict[str, object]], told: str):
    with pytest.raises(SettingsError) as caught:
        load_settings(stack(**sections), stack="test")
    assert "1 problem:" in str(caught.value)
    assert f"\n  {told}; allowed: " in str(caught.value)
