"""What runs in the cluster."""

import base64
from typing import Any

import pytest

from components.airflow_environment import AirflowEnvironmentArgs, JobPods, airflow_environment
from components.airflow_pods import components
from components.airflow_secrets import url_safe
from components.executor import task_runner
from tests.components.conftest import plain

COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer")


def test_the_config_map_holds_the_names_jobs_and_operators_know(local: Any):
    data = local.only("ConfigMap", "airflow-config")["data"]
    assert data["ETL_PACKAGES_ROOT"] == "/app/packages"
    assert data["AIRFLOW_DAGS_DIR"] == "/opt/airflow/dags"
    assert data["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert data["AIRFLOW__CORE__LOAD_EXAMPLES"] == "False"
    assert data["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://airflow-api-server:80/execution/"


def test_the_config_map_is_what_make_try_would_get_too(local: Any):
    args = AirflowEnvironmentArgs(
        execution_api_server_url="http://airflow-api-server:80/execution/",
        auth_manager="fab",
        parallelism=4,
        job_pods=JobPods(
            namespace="etl-jobs",
            service_account="etl-jobs",
            image="docker.io/library/airflow-control-plane:local",
        ),
        hostname_callable="airflow.utils.net.get_host_ip_address",
    )
    assert local.only("ConfigMap", "airflow-config")["data"] == airflow_environment(args)


def test_no_secret_is_in_a_config_map_or_in_a_container(every: Any):
    for config_map in every.all("ConfigMap"):
        for key in config_map.inputs["data"]:
            assert not any(word in key for word in ("SECRET_KEY", "FERNET", "JWT", "SQL_ALCHEMY_CONN", "PASSWORD__")), key
    for name, container in every.containers():
        for variable in container.get("env") or []:
            if "PASSWORD" in variable["name"] and not variable["name"].endswith("_FILE"):
                assert "value" not in variable, name


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_component_is_a_deployment_that_runs_its_command(local: Any, component: str):
    spec = local.pods()[f"airflow-{component}"]["spec"]
    (container,) = spec["containers"]
    waits = component in ("api-server", "triggerer")
    assert container["command"] == [
        "dumb-init",
        "--",
        *(["python", "-m", "dagsync.waiting"] if waits else ["airflow"]),
        component,
    ]
    assert spec["serviceAccountName"] == f"airflow-{component}"


def test_a_scheduler_that_runs_tasks_is_stopped_alone_and_waits_for_them(every: Any):
    # dumb-init otherwise passes SIGTERM to all processes: tasks under way would end with their scheduler.
    config = every.only("ConfigMap", "airflow-config")["data"]
    runs_tasks = config["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    for component in COMPONENTS:
        (container,) = every.pods()[f"airflow-{component}"]["spec"]["containers"]
        alone = {"name": "DUMB_INIT_SETSID", "value": "0"} in (container.get("env") or [])
        assert alone == (runs_tasks and component == "scheduler"), component


def test_the_service_leads_from_port_80_to_the_api_server_s_8080(every: Any):
    spec = every.only("Service", "airflow-api-server")["spec"]
    (port,) = spec["ports"]
    template = every.pods()["airflow-api-server"]
    (container,) = template["spec"]["containers"]
    named = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert (port["port"], named[port["targetPort"]]) == (80, 8080)
    assert spec["selector"].items() <= template["metadata"]["labels"].items()


def test_pods_are_written_for_restricted_pod_security(every: Any):
    for namespace in every.all("Namespace"):
        assert namespace.inputs["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted", namespace.name
    for name, template in every.pods().items():
        security = template["spec"]["securityContext"]
        assert security["runAsNonRoot"] is True, name
        assert security["runAsUser"] > 0, name
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert template["spec"]["automountServiceAccountToken"] is False, name
    for name, container in every.containers():
        security = container["securityContext"]
        assert security["allowPrivilegeEscalation"] is False, name
        assert security["capabilities"] == {"drop": ["ALL"]}, name
        assert security["readOnlyRootFilesystem"] is True, name


def test_every_container_has_requests_and_limits_and_a_pinned_image(every: Any):
    for name, container in every.containers():
        for kind in ("requests", "limits"):
            assert set(container["resources"][kind]) == {"cpu", "memory"}, name
        assert not container["image"].endswith(":latest"), name


def test_long_running_containers_are_probed_and_others_are_not(every: Any):
    for name, container in every.containers():
        short = name.startswith("airflow-migrations/") or container["name"] == "dag-sync"
        for probe in ("startupProbe", "livenessProbe"):
            assert (probe in container) is not short, f"{name} {probe}"


def test_probes_with_a_port_name_a_port_of_their_container(every: Any):
    for name, container in every.containers():
        ports = {port["name"] for port in container.get("ports") or []}
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            target = (container.get(probe) or {}).get("httpGet", {}).get("port")
            assert target is None or target in ports, f"{name} {probe}"


def test_a_database_failover_restarts_nothing():
    """A Multi-AZ failover takes up to two minutes; the scheduler and the heartbeats are red meanwhile."""
    for name, component in components(executor="LocalExecutor", grace_seconds=60, behind_proxy=True).items():
        probe = component.liveness
        if name != "api-server":
            assert probe.period_seconds * probe.failure_threshold >= 300, name
        else:
            assert probe.http_get.path == "/api/v2/version", "asks nothing of the database"


def test_a_task_is_heard_after_an_api_server_or_database_was_away_for_minutes(local: Any):
    """Airflow's own five requests are over after ten seconds, less than a new pod takes: the job would be repeated."""
    requests, longest = (
        int(local.environment()[f"AIRFLOW__WORKERS__EXECUTION_API_{name}"]) for name in ("RETRIES", "RETRY_WAIT_MAX")
    )
    # Airflow waits at random between a second and a power of two.
    waited = sum((1 + max(1, min(2**number, longest))) / 2 for number in range(requests - 1))
    assert waited >= 270
    assert longest <= 10, "so that a server that is back is soon told"


def test_the_scheduler_gives_its_tasks_time_to_end(deploy: Any):
    assert deploy("dev").pods()["airflow-scheduler"]["spec"]["terminationGracePeriodSeconds"] == 600


def test_only_what_reads_dags_gets_them(every: Any):
    for name in COMPONENTS:
        spec = every.pods()[f"airflow-{name}"]["spec"]
        reads = name in ("dag-processor", task_runner(every.environment()["AIRFLOW__CORE__EXECUTOR"]))
        assert bool({"dags", "bundles"} & {volume["name"] for volume in spec["volumes"]}) is reads
        if not reads:
            assert not spec.get("initContainers")


def test_sidecar_delivery_holds_airflow_back_until_the_first_sync_and_goes_on(local: Any):
    (sidecar,) = local.pods()["airflow-dag-processor"]["spec"]["initContainers"]
    assert sidecar["restartPolicy"] == "Always"
    assert sidecar["startupProbe"]["httpGet"]["path"] == "/readyz"
    assert sidecar["command"][2:5] == ["airflow-control-plane", "sync", "--watch"]
    assert sidecar["command"][5:7] == ["--interval", "300"]


def test_init_delivery_ends_and_a_broken_job_does_not_keep_airflow_down(deploy: Any):
    values = {"airflow-control-plane:image": {"reference": "x:1"}, "airflow-control-plane:dags": {"delivery": "init"}}
    (init,) = deploy("local", values).pods()["airflow-scheduler"]["spec"]["initContainers"]
    assert init["command"][2:] == ["airflow-control-plane", "sync", "--exit-zero", "-v"]
    assert "restartPolicy" not in init


def test_two_dag_processors_never_run_at_once(every: Any):
    spec = every.only("Deployment", "airflow-dag-processor")["spec"]
    assert (spec["replicas"], spec["strategy"]["type"]) == (1, "Recreate")


def test_a_log_volume_has_one_writer_with_a_name_that_lasts(local: Any):
    spec = local.pods()["airflow-scheduler"]["spec"]
    (claim,) = [volume for volume in spec["volumes"] if volume["name"] == "logs"]
    assert claim["persistentVolumeClaim"]["claimName"] == "airflow-logs"
    assert local.only("Deployment", "airflow-scheduler")["spec"]["strategy"]["type"] == "Recreate"
    assert (spec["hostname"], spec["subdomain"]) == ("airflow-scheduler", "airflow-scheduler")
    headless = local.only("Service", "airflow-scheduler")["spec"]
    assert (headless["clusterIP"], headless["publishNotReadyAddresses"]) == ("None", True)


def test_logs_in_a_bucket_need_no_volume(prod: Any):
    assert not prod.all("PersistentVolumeClaim")
    data = prod.only("ConfigMap", "airflow-config")["data"]
    assert data["AIRFLOW__LOGGING__REMOTE_LOGGING"] == "True"
    assert data["AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER"].startswith("s3://")
    assert data["AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER"].endswith("/task-logs")


def test_dag_sync_gets_no_secret(every: Any):
    for name, container in every.containers():
        if container["name"].startswith("dag-sync"):
            assert all("configMapRef" in source for source in container["envFrom"]), name


def test_migrations_run_before_workloads_and_again_for_a_new_image(every: Any):
    (job,) = every.all("Job")
    assert (job.replace_on_changes, job.delete_before_replace) == (("spec.template",), True)
    servers = [one.urn for one in every.all("StatefulSet")]
    for deployment in every.all("Deployment"):
        waits = "dagsync.waiting" in deployment.inputs["spec"]["template"]["spec"]["containers"][0]["command"]
        # Beside a server of ours, what waits itself is started with it; whatever stops its pods first never is.
        expected = set() if servers and waits else {job.urn, *servers}
        assert expected == {job.urn, *servers}.intersection(deployment.dependencies), deployment.name
        if not expected:
            assert deployment.inputs["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0, deployment.name


def test_migrations_start_together_with_a_server_of_ours(local: Any):
    (job,), (server,) = local.all("Job"), local.all("StatefulSet")
    assert server.urn not in job.dependencies


def test_an_api_server_is_started_once_its_execution_api_is(every: Any):
    """Its first request makes the routers and stops all others for seconds meanwhile; a task should not be the first."""
    (container,) = every.pods()["airflow-api-server"]["spec"]["containers"]
    assert container["startupProbe"]["httpGet"]["path"] == "/execution/health"


def test_a_start_may_take_five_minutes(every: Any):
    for name, container in every.containers():
        if name.startswith("airflow-") and not container["name"].startswith("dag-sync") and "startupProbe" in container:
            probe = container["startupProbe"]
            assert probe["periodSeconds"] * probe["failureThreshold"] == 300, name


def test_the_first_user_s_password_is_not_an_argument(every: Any):
    job = every.pods()["airflow-migrations"]["spec"]
    (create,) = job["containers"]
    assert "--password" not in " ".join(create["command"])
    assert {variable["name"] for variable in create["env"]} == {"ADMIN_USERNAME", "ADMIN_PASSWORD"}


def test_a_changed_configuration_restarts_the_pods(deploy: Any, local: Any):
    values = {"airflow-control-plane:image": {"reference": "x:1"}, "airflow-control-plane:airflow": {"parallelism": 5}}
    other = deploy("local", values)
    key = "airflow-control-plane/config-checksum"
    for component in COMPONENTS:
        before, after = (s.pods()[f"airflow-{component}"]["metadata"]["annotations"][key] for s in (local, other))
        assert before != after


def test_a_changed_config_map_or_secret_is_never_gone_for_a_moment(every: Any):
    (provider,) = every.all("providers:kubernetes")
    assert provider.inputs["enableConfigMapMutable"] == "true"
    assert provider.inputs["enableSecretMutable"] == "true"


def test_the_namespace_is_silent_but_for_what_is_allowed(every: Any):
    policies = [one.inputs for one in every.all("NetworkPolicy") if one.inputs["metadata"]["name"] == "default-deny"]
    assert {one["metadata"]["namespace"] for one in policies} == {"airflow", "etl-jobs"}
    for policy in policies:
        spec = policy["spec"]
        assert (spec["podSelector"], sorted(spec["policyTypes"])) == ({}, ["Egress", "Ingress"])
        assert "ingress" not in spec
        assert "egress" not in spec


def test_only_components_with_work_in_the_database_reach_it_from_outside_the_default(local: Any):
    for component in (*COMPONENTS, "migrations"):
        egress = local.only("NetworkPolicy", f"airflow-{component}")["spec"]["egress"]
        assert any(port["port"] == 5432 for rule in egress for port in rule.get("ports", ())), component
    (rule,) = local.only("NetworkPolicy", "airflow-dag-processor")["spec"]["egress"]
    assert [port["port"] for port in rule["ports"]] == [5432]


def test_no_pod_reaches_the_node_s_credentials(every: Any):
    for policy in every.all("NetworkPolicy"):
        for rule in policy.inputs["spec"].get("egress") or []:
            for peer in rule.get("to") or []:
                block = peer.get("ipBlock") or {}
                if block.get("cidr") == "0.0.0.0/0":
                    assert block["except"] == ["169.254.169.254/32"], policy.name


@pytest.mark.parametrize("kind", ["Secret", "StatefulSet"])
def test_what_a_killed_up_made_and_did_not_write_down_is_taken_over(local: Any, kind: str):
    """The server refuses a second manager of ``stringData`` and ``volumeClaimTemplates``, which it keeps in another form."""
    made = local.all(kind)
    assert made
    for one in made:
        assert one.inputs["metadata"]["annotations"] == {"pulumi.com/patchForce": "true"}, one.name


def test_keys_are_random_and_long_enough(local: Any):
    sizes = {resource.name: resource.inputs["length"] for resource in local.all("RandomBytes")}
    assert sizes == {"airflow-fernet-key": 32, "airflow-api-secret-key": 32, "airflow-jwt-key": 32}


def test_a_fernet_key_is_written_in_the_url_safe_alphabet():
    raw = bytes(range(224, 256))
    assert base64.urlsafe_b64decode(url_safe(base64.b64encode(raw).decode())) == raw


def test_a_migration_that_failed_is_made_anew_and_no_service_hides_its_failure_by_waiting(every: Any):
    assert every.only("Job", "airflow-migrations")["metadata"]["annotations"]["pulumi.com/replaceUnready"] == "true"
    assert every.only("Service", "airflow-api-server")["metadata"]["annotations"]["pulumi.com/skipAwait"] == "true"


def test_pods_may_ask_dns_pods_that_listen_without_privileges(every: Any):
    policies = [plain(one.inputs) for one in every.all("NetworkPolicy") if one.inputs["metadata"]["name"] == "dns"]
    assert {one["metadata"]["namespace"] for one in policies} == {"airflow", "etl-jobs"}
    for policy in policies:
        (rule,) = policy["spec"]["egress"]
        assert {(port["protocol"], port["port"]) for port in rule["ports"]} == {
            (protocol, port) for protocol in ("UDP", "TCP") for port in (53, 5353)
        }
