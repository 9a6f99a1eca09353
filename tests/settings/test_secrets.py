"""Settings of Airflow's keys."""

import pytest

from settings import SettingsError, load_settings
from tests.settings.test_brought import stack


@pytest.mark.parametrize("key", ["fernet", "jwt"])
@pytest.mark.parametrize(
    ("numbers", "told", "fix"),
    [
        ({"oldest": 2}, "oldest: 2; allowed: 1 to", "pulumi config set --path secrets.{}.oldest 1"),
        ({"generation": 3, "newest": 2}, "newest: 2; allowed: ", "pulumi config rm --path secrets.{}.newest"),
        ({"generation": 0}, "generation: ", "1"),
    ],
)
def test_a_key_in_use_that_would_not_be_accepted_is_refused(key: str, numbers: dict[str, int], told: str, fix: str):
    with pytest.raises(SettingsError) as caught:
        load_settings(stack(secrets={key: numbers}), stack="test")
    assert "1 problem:" in str(caught.value)
    assert f"\n  secrets.{key}.{told}" in str(caught.value)
    assert fix.format(key) in str(caught.value)


def test_there_is_no_mirror_without_aws():
    with pytest.raises(SettingsError) as caught:
        load_settings(stack("kubernetes", secrets={"mirror": True}), stack="test")
    assert "secrets.mirror: true; allowed: false with platform 'kubernetes'" in str(caught.value)
    assert "pulumi config rm --path secrets.mirror" in str(caught.value)


@pytest.mark.parametrize(
    ("platform", "secrets", "identity", "told", "fix"),
    [
        ("kubernetes", {}, None, "secrets.source: 'external'; allowed: 'state'", "secrets.source state"),
        ("eks", {}, "irsa", "secrets.mirror: false; allowed: true", "secrets.mirror true"),
        ("eks", {"mirror": True}, "podIdentity", "cluster.identity: 'podIdentity'; allowed: 'irsa'", "cluster.identity irsa"),
    ],
)
def test_external_secrets_need_what_they_are_made_of_and_read_by(
    platform: str, secrets: dict[str, object], identity: str | None, told: str, fix: str
):
    cluster: dict[str, dict[str, object]] = {"cluster": {"identity": identity}} if identity else {}
    with pytest.raises(SettingsError) as caught:
        load_settings(stack(platform, secrets={"source": "external", **secrets}, **cluster), stack="test")
    assert "1 problem:" in str(caught.value)
    assert f"\n  {told}" in str(caught.value)
    assert f"pulumi config set --path {fix}" in str(caught.value)


def test_every_step_of_a_rotation_is_allowed():
    for numbers in ({}, {"newest": 2}, {"generation": 2}, {"generation": 2, "oldest": 2}, {"generation": 3, "newest": 4}):
        load_settings(stack(secrets={"fernet": numbers, "jwt": numbers}), stack="test")
