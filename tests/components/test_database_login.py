"""How pods log in to the metadata database where no password is handed to them."""

import json
from typing import Any

import pytest

from components.database_login import db_user_arn
from components.secret_access import database_users
from tests.components.conftest import Stack
from tests.components.iam_evaluation import allows
from tests.components.test_brought import values
from tests.components.variants import TASK_PODS

ADMINISTRATOR = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!metadata-database-AbCdEf"
USER = "arn:aws:rds-db:eu-west-1:123456789012:dbuser:db-ABCDEFGHIJKL/airflow_iam"
READ, CONNECT = ("secretsmanager:GetSecretValue", ADMINISTRATOR), ("rds-db:connect", USER)


@pytest.fixture(scope="module", params=["LocalExecutor", "KubernetesExecutor"])
def executor(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module", params=["secret", "iam"])
def login(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def stack(deploy: Any, login: str, executor: str) -> Stack:
    return deploy("dev", values(database={"login": login}, airflow={"executor": executor}))


def policy(stack: Stack, component: str) -> str:
    return stack.only("RolePolicy", f"airflow-{component}")["policy"]


def test_rds_makes_the_password_and_no_resource_of_the_stack_has_it(stack: Stack, login: str):
    instance = stack.only("rds/instance:Instance")
    assert instance["manageMasterUserPassword"] is True
    assert "password" not in instance
    assert instance.get("iamDatabaseAuthenticationEnabled", False) is (login == "iam")
    assert [one.name for one in stack.all("RandomPassword")] == ["airflow-admin-password"]


def test_the_urls_hold_no_password_and_airflow_asks_for_one(stack: Stack, login: str):
    given = stack.only("Secret", "airflow-database")["stringData"]
    for name in ("SQL_ALCHEMY_CONN", "SQL_ALCHEMY_CONN_ASYNC"):
        place = given[f"AIRFLOW__DATABASE__{name}"].partition("://")[2].partition("?")[0]
        assert place == ("airflow_iam@" if login == "iam" else "") + "${metadata-database.address}:5432/airflow"
    assert given["AIRFLOW__DATABASE__SQL_ALCHEMY_CONNECT_ARGS"] == "dagsync.database_login.SYNC"
    assert given["AIRFLOW__DATABASE__SQL_ALCHEMY_CONNECT_ARGS_ASYNC"] == "dagsync.database_login.ASYNC"
    expected = (
        {"DAGSYNC_DATABASE_LOGIN": "iam", "DAGSYNC_DATABASE_REGION": "eu-west-1"}
        if login == "iam"
        else {"DAGSYNC_DATABASE_LOGIN": "secret", "DAGSYNC_DATABASE_SECRET_ARN": ADMINISTRATOR}
    )
    assert {name: value for name, value in given.items() if name.startswith("DAGSYNC_")} == expected


def test_roles_log_in_as_their_pods_must_and_read_no_other_secret(stack: Stack, login: str):
    for component in database_users():
        may = {ask: allows(policy(stack, component), *ask) for ask in (READ, CONNECT)}
        reads = login == "secret" or component == "migrations"
        assert may == {READ: reads, CONNECT: login == "iam"}, component
        assert not allows(policy(stack, component), READ[0], ADMINISTRATOR.replace("metadata", "another"))
        assert not allows(policy(stack, component), CONNECT[0], USER.replace("airflow_iam", "airflow"))


def test_task_pods_and_jobs_log_in_to_nothing(deploy: Any, login: str):
    dags = {"source": "s3"}
    stack = deploy("dev", values(database={"login": login}, airflow=TASK_PODS, dags=dags))
    for name in ("airflow-task", "etl-jobs"):
        for statement in json.loads(stack.only("RolePolicy", name)["policy"])["Statement"]:
            assert all(action.startswith("s3:") for action in [statement["Action"]] if isinstance(action, str))
        assert not any(allows(stack.only("RolePolicy", name)["policy"], *ask) for ask in (READ, CONNECT))


def test_a_role_is_bound_before_the_pod_that_logs_in_with_it(stack: Stack):
    (migration,) = stack.all("Job")
    (binding,) = [one for one in stack.all("PodIdentityAssociation") if one.name == "airflow-migrations"]
    assert binding.urn in migration.dependencies


def test_the_migration_job_makes_the_user_first_as_the_administrator(stack: Stack, login: str):
    spec = stack.pods()["airflow-migrations"]["spec"]
    (migrate,) = spec["containers"]
    assert not [one for one in migrate["env"] if one["name"].startswith("DAGSYNC_")]
    if login == "secret":
        assert not spec.get("initContainers")
        return
    (maker,) = spec["initContainers"]
    assert maker["command"] == ["dumb-init", "--", "airflow-control-plane", "database-user", "airflow_iam"]
    # A variable of its own wins over the same one of a Secret.
    assert {one["name"]: one["value"] for one in maker["env"]} == {
        "DAGSYNC_DATABASE_LOGIN": "secret",
        "DAGSYNC_DATABASE_SECRET_ARN": ADMINISTRATOR,
    }


def test_pods_reach_what_their_login_is_asked_of(stack: Stack):
    for component in database_users():
        egress = stack.only("NetworkPolicy", f"airflow-{component}")["spec"]["egress"]
        ports = {port["port"] for rule in egress for port in rule.get("ports", ())}
        anywhere = any("ports" not in rule for rule in egress)
        assert anywhere or {80, 443} <= ports, component


def test_a_password_of_the_stack_needs_no_role_and_no_way_out(deploy: Any):
    stack = deploy("dev", values())
    assert "airflow-migrations" not in {one.name for one in stack.all("RolePolicy")}
    (rule,) = stack.only("NetworkPolicy", "airflow-migrations")["spec"]["egress"]
    assert [port["port"] for port in rule["ports"]] == [5432]


def test_the_arn_of_a_user_is_in_the_instance_s_own_partition():
    arn = db_user_arn("arn:aws-cn:rds:cn-north-1:123456789012:db:metadata", "db-ABC", "airflow_iam")
    assert arn == "arn:aws-cn:rds-db:cn-north-1:123456789012:dbuser:db-ABC/airflow_iam"


def test_the_login_of_a_server_that_exists_is_read_by_pods_alone(deploy: Any):
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:airflow-AbCdEf"
    stack = deploy("dev", values(database={"endpoint": "pg.example.com:6432", "secretArn": arn, "login": "secret"}))
    given = stack.only("Secret", "airflow-database")["stringData"]
    assert given["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].startswith("postgresql+psycopg2://pg.example.com:6432/airflow?")
    assert given["DAGSYNC_DATABASE_SECRET_ARN"] == arn
    assert allows(policy(stack, "scheduler"), READ[0], arn)
