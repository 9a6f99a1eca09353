"""What the images promise to pods, by pods: restricted Pod Security, a read-only root, the stack's own user."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cluster import Cluster
from components.airflow_pods import AIRFLOW_UID
from components.image_content import ignore_patterns, ignored
from components.postgresql import DATA, POSTGRES_UID
from images.layout import Image
from images.storage import Storage, default_folder
from tests.cluster.kubernetes import Kubernetes
from tests.cluster.pods import restricted_pod
from tests.cluster.stack_images import EXAMPLES, loaded
from versions import AIRFLOW, POSTGRESQL

Images = dict[str, Image]
ROOT = Path(__file__).parents[2]


def airflow(kubernetes: Kubernetes, image: Image, *command: str) -> str:
    """Run a command in the Airflow image as its pods run theirs, and return what it printed."""
    kubernetes.apply(
        restricted_pod(
            "airflow",
            image,
            user=AIRFLOW_UID,
            group=0,
            command=["dumb-init", "--", *command],
            writable={"logs": "/opt/airflow/logs"},
        )
    )
    phase = kubernetes.wait_for_end("airflow")
    printed = kubernetes.run("logs", "airflow").stdout
    assert phase == "Succeeded", printed
    kubernetes.run("delete", "pod", "airflow")
    return printed


def test_airflow_runs_with_the_providers_the_stacks_use(kubernetes: Kubernetes, stack_images: Images) -> None:
    script = "airflow version && airflow providers list --output json && command -v uv bash python dumb-init && id -u && id -g"
    printed = airflow(kubernetes, stack_images["airflow"], "bash", "-c", script)
    assert AIRFLOW in printed.splitlines()
    listed = {entry["package_name"] for entry in json.loads(printed[printed.index("[") : printed.rindex("]") + 1])}
    wanted = {"amazon", "celery", "cncf-kubernetes", "common-sql", "fab", "postgres", "redis", "standard"}
    assert listed >= {f"apache-airflow-providers-{name}" for name in wanted}
    assert printed.split()[-2:] == [str(AIRFLOW_UID), "0"]


def test_dagsync_finds_the_jobs_that_were_built_in(kubernetes: Kubernetes, stack_images: Images) -> None:
    printed = airflow(kubernetes, stack_images["airflow"], "dagsync", "discover", "--json")
    found = {job["dag_id"] for job in json.loads(printed)["jobs"]}
    assert {"sales_load_orders"} < found


def test_nothing_is_inside_that_should_stay_out(kubernetes: Kubernetes, stack_images: Images) -> None:
    script = (
        "find /app /opt /home /root /build /tmp /var/cache/apt /var/lib/apt/lists -type f 2>/dev/null;"
        " echo ==; find / -xdev -perm -0002 -type f 2>/dev/null; echo ==; find / -xdev -name ca.pem 2>/dev/null; true"
    )
    files, writable, bundles = airflow(kubernetes, stack_images["airflow"], "bash", "-c", script).split("==\n")
    names = files.splitlines()
    assert "/app/packages/sales/jobs/load_orders.py" in names
    patterns = [pattern for pattern in ignore_patterns(ROOT) if pattern.startswith("**/") and "__pycache__" not in pattern]
    assert not [name for name in names if name.startswith("/app/packages") and ignored(name, patterns)]
    assert not [name for name in names if name.startswith(("/build", "/root", "/var", "/tmp")) or "/.cache/" in name]
    assert not [name for name in names if name.startswith("/app") and "/tests/" in name]
    assert (writable.strip(), bundles.strip()) == ("", ""), "no file that anybody may write, and not this machine's CA bundle"


def test_a_changed_job_is_built_and_loaded_as_one_small_layer(
    kubernetes: Kubernetes, stack_images: Images, up: Cluster, tmp_path: Path
) -> None:
    packages = tmp_path / "packages"
    shutil.copytree(EXAMPLES, packages, ignore=shutil.ignore_patterns("__pycache__"))
    (packages / "sales" / "jobs" / "count_returns.py").write_text("JOB = (print, 'Count returns')\n")
    changed = loaded(up, packages)["airflow"]
    try:
        assert changed.reference != stack_images["airflow"].reference
        printed = airflow(kubernetes, changed, "dagsync", "discover", "--json")
        assert "sales_count_returns" in {job["dag_id"] for job in json.loads(printed)["jobs"]}
    finally:
        loaded(up)


def test_a_build_leaves_no_mount_nor_does_one_that_was_killed(tmp_path: Path, stack_images: Images) -> None:
    assert f"{default_folder()}/" not in Path("/proc/self/mountinfo").read_text()
    folder = tmp_path / "storage"
    left = folder / "buildah" / "left"
    with Storage(folder).locked():
        left.mkdir()
        subprocess.run(["mount", "--bind", "/usr", str(left)], check=True)
    assert str(folder) not in Path("/proc/self/mountinfo").read_text()
    subprocess.run(["mount", "--bind", "/usr", str(left)], check=True)
    subprocess.run([sys.executable, "-m", "images", "clean", "--storage", str(folder)], check=True, cwd=ROOT)
    assert not folder.exists()
    assert Path("/usr/bin").is_dir(), "what was mounted is not what is deleted"


def test_the_database_starts_once_and_keeps_what_it_has(kubernetes: Kubernetes, stack_images: Images) -> None:
    if "postgresql" not in stack_images:
        pytest.fail("the cluster pulls PostgreSQL itself: this test is for a node without a registry")
    password = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "password"},
        "stringData": {"password": "quote ' and $ and \\"},
    }
    server = restricted_pod(
        "database",
        stack_images["postgresql"],
        user=POSTGRES_UID,
        group=POSTGRES_UID,
        env=[
            {"name": "POSTGRES_USER", "value": "airflow"},
            {"name": "POSTGRES_DB", "value": "air-flow"},
            {"name": "POSTGRES_PASSWORD_FILE", "value": "/run/secrets/postgresql/password"},
            {"name": "POSTGRES_INITDB_ARGS", "value": "--auth-host=scram-sha-256 --data-checksums"},
            {"name": "PGDATA", "value": f"{DATA}/pgdata"},
        ],
        writable={"data": DATA, "run": "/var/run/postgresql"},
        readinessProbe={
            "exec": {"command": ["pg_isready", "--username", "airflow", "--dbname", "air-flow", "--host", "localhost"]},
            "periodSeconds": 1,
        },
    )
    server["spec"]["restartPolicy"] = "Always"
    server["spec"]["containers"][0]["volumeMounts"].append({"name": "password", "mountPath": "/run/secrets/postgresql"})
    server["spec"]["volumes"].append({"name": "password", "secret": {"secretName": "password", "defaultMode": 0o440}})
    kubernetes.apply(password, server)
    kubernetes.wait_for_pod("database")

    def query(text: str) -> str:
        login = "PGPASSWORD=$(cat /run/secrets/postgresql/password) psql -h localhost -U airflow -d air-flow -qAtc"
        done = kubernetes.run("exec", "database", "--", "bash", "-c", f'{login} "$0"', text, check=False)
        return done.stdout.strip() or done.stderr

    assert query("show server_version").startswith(f"{POSTGRESQL}.")
    assert query("show data_checksums") == "on"
    assert query("create table kept (x int); insert into kept values (7); select x from kept") == "7"
    refused = kubernetes.run(
        "exec", "database", "--", "bash", "-c", "PGPASSWORD=no psql -h localhost -U airflow air-flow", check=False
    )
    assert "password authentication failed" in refused.stderr

    kubernetes.run("exec", "database", "--", "bash", "-c", "kill -INT 1")

    def restarted() -> bool:
        status = kubernetes.get("pod", "database")["status"]["containerStatuses"][0]
        return status["restartCount"] == 1 and status["ready"]

    kubernetes.wait("the database is back", restarted)
    assert query("select x from kept") == "7"
    assert (
        "fast shutdown"
        in kubernetes.run("logs", "database", "--previous").stdout + kubernetes.run("logs", "database", "--previous").stderr
    )


def test_moto_serves_s3(kubernetes: Kubernetes, stack_images: Images) -> None:
    server = restricted_pod("moto", stack_images["moto"], user=AIRFLOW_UID, group=0)
    server["spec"]["containers"][0]["readinessProbe"] = {"tcpSocket": {"port": 5000}, "periodSeconds": 1}
    kubernetes.apply(server)
    kubernetes.wait_for_pod("moto")
    script = (
        "import boto3; s3 = boto3.client('s3', endpoint_url='http://localhost:5000', region_name='eu-west-1',"
        " aws_access_key_id='a', aws_secret_access_key='b');"
        " s3.create_bucket(Bucket='jobs', CreateBucketConfiguration={'LocationConstraint': 'eu-west-1'});"
        " s3.put_object(Bucket='jobs', Key='k', Body=b'v'); print(s3.get_object(Bucket='jobs', Key='k')['Body'].read())"
    )
    assert kubernetes.run("exec", "moto", "--", "/opt/moto/environment/bin/python", "-c", script).stdout == "b'v'\n"
