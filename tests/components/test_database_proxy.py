"""The proxy before the database: what it logs in with, who reaches it, and what goes past it."""

import json
import ssl
from pathlib import Path
from typing import Any

import pytest

from components.database_capacity import PROXY_PERCENT, connections_needed, connections_offered, smallest_class
from components.database_certificates import PUBLIC_CERTIFICATES, RDS_CERTIFICATES
from components.database_proxy import pinned
from components.secret_access import database_users
from tests.components.conftest import Stack
from tests.components.iam_evaluation import allows
from tests.components.test_brought import values

ADMINISTRATOR = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!metadata-database-AbCdEf"
AT_PROXY = "arn:aws:rds-db:eu-west-1:123456789012:dbuser:prx-0123456789abcdef0/airflow_iam"
AT_INSTANCE = "arn:aws:rds-db:eu-west-1:123456789012:dbuser:db-ABCDEFGHIJKL/airflow_iam"
READ, PROXY, INSTANCE = (
    ("secretsmanager:GetSecretValue", ADMINISTRATOR),
    ("rds-db:connect", AT_PROXY),
    ("rds-db:connect", AT_INSTANCE),
)


@pytest.fixture(scope="module", params=["password", "secret", "iam"])
def login(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def stack(deploy: Any, login: str) -> Stack:
    return deploy("dev", values(database={"proxy": True, "login": login, "alarmTopicArns": []}))


def test_without_the_setting_there_is_none(deploy: Any):
    for name in ("dev", "prod"):
        assert not deploy(name).all("rds/proxy:Proxy")


def test_the_proxy_takes_tls_alone_and_logs_in_as_the_database_s_user_does(stack: Stack, login: str):
    proxy = stack.only("rds/proxy:Proxy")
    assert (proxy["requireTls"], proxy["engineFamily"]) == (True, "POSTGRESQL")
    if login == "iam":
        # End to end: with a secret beside it, somebody would have a password.
        assert (proxy["defaultAuthScheme"], proxy.get("auths")) == ("IAM_AUTH", None)
        return
    (auth,) = proxy["auths"]
    secret = ADMINISTRATOR if login == "secret" else "${database-proxy.arn}"
    assert auth == {
        "authScheme": "SECRETS",
        "iamAuth": "DISABLED",
        "clientPasswordAuthType": "POSTGRES_SCRAM_SHA_256",
        "secretArn": secret,
    }
    assert "defaultAuthScheme" not in proxy


def test_a_password_of_the_stack_is_kept_where_the_proxy_reads_it_and_no_other_is(stack: Stack, login: str):
    versions = stack.all("secretsmanager/secretVersion:SecretVersion")
    assert bool(versions) == (login == "password")
    for version in versions:
        text = stack.only(version.type)["secretString"]
        assert json.loads(text) == {"username": "airflow", "password": "${metadata-database-password}"}
        assert version.urn in stack.all("rds/proxy:Proxy")[0].dependencies


def test_the_role_of_the_proxy_may_do_one_thing_with_one_resource(stack: Stack, login: str):
    (statement,) = json.loads(stack.only("RolePolicy", "database-proxy")["policy"])["Statement"]
    expected = {
        "password": ("secretsmanager:GetSecretValue", "${database-proxy.arn}"),
        "secret": READ,
        "iam": INSTANCE,
    }
    assert (statement["Action"], statement["Resource"]) == expected[login]
    (trusted,) = json.loads(stack.only("iam/role:Role", "database-proxy")["assumeRolePolicy"])["Statement"]
    assert trusted["Principal"] == {"Service": "rds.amazonaws.com"}


def test_pods_connect_to_the_proxy_and_check_its_certificate_which_is_not_one_of_rds_s(stack: Stack):
    given = stack.only("Secret", "airflow-database")["stringData"]
    for name in ("SQL_ALCHEMY_CONN", "SQL_ALCHEMY_CONN_ASYNC"):
        url = given[f"AIRFLOW__DATABASE__{name}"]
        assert "${database-proxy.endpoint}:5432/airflow?" in url
        assert "verify-full" in url
        assert PUBLIC_CERTIFICATES.replace("/", "%2F") in url.replace("%25", "%")
        assert "rds.pem" not in url


def test_the_migration_job_and_what_it_shares_its_secrets_with_go_past_it(stack: Stack):
    direct = stack.only("Secret", "airflow-database-direct")["stringData"]
    for name in ("SQL_ALCHEMY_CONN", "SQL_ALCHEMY_CONN_ASYNC"):
        url = direct[f"AIRFLOW__DATABASE__{name}"]
        assert "${metadata-database.address}:5432/airflow?" in url
        assert RDS_CERTIFICATES.replace("/", "%2F") in url.replace("%25", "%")
    readers: dict[str, set[str]] = {"airflow-database": set(), "airflow-database-direct": set()}
    for name, container in stack.containers():
        for source in container.get("envFrom") or ():
            if (secret := source.get("secretRef", {}).get("name")) in readers:
                readers[secret].add(name.partition("/")[0])
    assert readers["airflow-database-direct"] == {"airflow-migrations"}
    assert readers["airflow-database"] == {
        "airflow-api-server",
        "airflow-scheduler",
        "airflow-dag-processor",
        "airflow-triggerer",
    }


def test_a_role_logs_in_where_its_pod_connects_to_and_nowhere_else(stack: Stack, login: str):
    for component in database_users():
        found = [one.inputs["policy"] for one in stack.all("RolePolicy") if one.name == f"airflow-{component}"]
        may = {ask for ask in (READ, PROXY, INSTANCE) for document in found if allows(document, *ask)}
        expected = {
            "password": set(),
            "secret": {READ},
            "iam": {READ, INSTANCE} if component == "migrations" else {PROXY},
        }
        assert may == expected[login], component


def test_the_database_lets_the_proxy_in_and_the_proxy_the_cluster_and_nobody_else(stack: Stack):
    let_in = {
        (rule.inputs["securityGroupId"], rule.inputs["referencedSecurityGroupId"], rule.inputs["fromPort"])
        for rule in stack.all("SecurityGroupIngressRule")
    }
    cluster, proxy, instance = "${cluster.clusterSecurityGroupId}", "${database-proxy.id}", "${metadata-database.id}"
    # Migrations go to the database itself.
    assert let_in == {(proxy, cluster, 5432), (instance, proxy, 5432), (instance, cluster, 5432)}
    assert stack.only("SecurityGroupEgressRule") == {
        "securityGroupId": proxy,
        "referencedSecurityGroupId": instance,
        "ipProtocol": "tcp",
        "fromPort": 5432,
        "toPort": 5432,
    }


def test_pods_reach_the_subnets_that_the_proxy_is_in(stack: Stack):
    assert stack.only("rds/proxy:Proxy")["vpcSubnetIds"] == stack.only("SubnetGroup")["subnetIds"]
    for component in ("dag-processor", "migrations"):
        rule = stack.only("NetworkPolicy", f"airflow-{component}")["spec"]["egress"][0]
        assert [peer["ipBlock"]["cidr"] for peer in rule["to"]] == ["10.0.40.0/21", "10.0.104.0/21"]


def test_workloads_wait_for_the_proxy_and_migrations_only_for_the_database(stack: Stack):
    (target,) = stack.all("ProxyTarget")
    assert target.inputs["dbInstanceIdentifier"] == "${metadata-database.identifier}"
    for deployment in stack.all("Deployment"):
        assert target.urn in deployment.dependencies, deployment.name
    (migration,) = stack.all("Job")
    assert target.urn not in migration.dependencies


def test_the_proxy_leaves_connections_to_migrations_and_people_and_its_alarm_is_at_half_of_its_own(stack: Stack):
    pool = stack.only("ProxyDefaultTargetGroup")["connectionPoolConfig"]
    assert pool["maxConnectionsPercent"] == PROXY_PERCENT < 100
    assert pool["maxIdleConnectionsPercent"] <= pool["maxConnectionsPercent"]
    offered = connections_offered(stack.only("rds/instance:Instance")["instanceClass"], proxy=True)
    (alarm,) = [one.inputs for one in stack.all("MetricAlarm") if "ProxyName" in one.inputs["dimensions"]]
    assert alarm["metricName"] == "DatabaseConnectionsCurrentlySessionPinned"
    assert alarm["dimensions"] == {"ProxyName": "${database-proxy.name}"}
    assert offered is not None
    assert alarm["threshold"] == offered // 2 == pinned(offered).value


def test_behind_a_proxy_pools_count_by_what_they_hold_and_not_by_how_far_they_grow():
    replicas = {"api-server": 1, "dag-processor": 1}
    assert connections_needed(replicas) == 2 * 2 * 15 + 15
    assert connections_needed(replicas, proxy=True) == 2 * 2 * 5 + 5


def test_a_proxy_opens_its_share_of_all_connections_of_a_class():
    offered, shared = connections_offered("db.m7g.large"), connections_offered("db.m7g.large", proxy=True)
    assert offered is not None
    assert shared == (offered + 15) * PROXY_PERCENT // 100
    assert smallest_class("db.t4g.micro", 100) == "db.t4g.small"
    assert smallest_class("db.t4g.micro", 60, proxy=True) == "db.t4g.micro"
    assert connections_offered("db.x2g.large", proxy=True) is None


@pytest.mark.skipif(not Path(PUBLIC_CERTIFICATES).is_file(), reason="this machine keeps its certificates elsewhere than Debian")
def test_debian_s_certificates_hold_the_roots_of_amazon_trust_services():
    trusted = ssl.create_default_context(cafile=PUBLIC_CERTIFICATES).get_ca_certs()
    names = {value for one in trusted for part in one["subject"] for _, value in part}
    assert {f"Amazon Root CA {number}" for number in (1, 2, 3, 4)} <= names
