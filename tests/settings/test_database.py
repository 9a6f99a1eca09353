"""Settings of the database that is made."""

import pytest

from settings import SettingsError, load_settings
from tests.settings.test_brought import SECRET, stack


@pytest.mark.parametrize(
    ("sections", "told", "fix"),
    [
        ({"database": {"instanceClass": "db.t4g.micro"}}, "database.instanceClass: 'db.t4g.micro'", "db.t4g.small"),
        ({"airflow": {"scheduler": {"replicas": 9}}}, "database.instanceClass: 'db.t4g.small'", "db.t4g.medium"),
        ({"database": {"storageGib": 10}}, "database.storageGib: 10", "database.storageGib 20"),
    ],
)
def test_a_database_too_small_is_refused_with_what_would_do(sections: dict[str, dict[str, object]], told: str, fix: str):
    with pytest.raises(SettingsError) as caught:
        load_settings(stack(**sections), stack="test")
    assert "1 problem:" in str(caught.value)
    assert f"\n  {told}; allowed: " in str(caught.value)
    assert fix in str(caught.value).partition("fix: ")[2]


@pytest.mark.parametrize("login", ["password", "secret", "iam"])
def test_behind_a_proxy_a_smaller_class_will_do(login: str):
    database = {"proxy": True, "login": login, "instanceClass": "db.t4g.micro"}
    load_settings(stack(database=database), stack="test")
    with pytest.raises(SettingsError, match=r"the 1\d\d connections the pods keep open through the proxy; .* about \d\d\n"):
        load_settings(stack(database=database, airflow={"scheduler": {"replicas": 20}}), stack="test")


def test_of_a_database_that_is_brought_the_size_is_not_known():
    brought = {"endpoint": "db", "secretArn": SECRET}
    load_settings(stack(database=brought, airflow={"scheduler": {"replicas": 9}}), stack="test")
