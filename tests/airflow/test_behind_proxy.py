"""Airflow's real API server with its real login page, behind what an Ingress becomes: a proxy that ends TLS."""

import re
from collections.abc import Generator, Mapping
from dataclasses import replace

import httpx
import pytest
from airflow.configuration import conf

from components.airflow_environment import AUTH_MANAGERS
from components.airflow_migrations import MIGRATE
from components.airflow_pods import components
from components.load_balancer import DRAIN_SECONDS, HEALTH_PATH, IDLE_SECONDS
from tests.airflow.server import PASSWORD, Airflow, environment, until

HOST = "airflow.example.com"
FORWARDED = {"Host": HOST, "X-Forwarded-Proto": "https", "X-Forwarded-Port": "443", "X-Forwarded-For": "198.51.100.7"}
"""What a load balancer adds, and the host that it keeps."""

OPTIONS = components(executor="LocalExecutor", grace_seconds=60, behind_proxy=True)["api-server"].options
THIS_MACHINE, ELSEWHERE = "127.0.0.0/8", "192.0.2.0/24"


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Airflow:
    """Return an Airflow with a first user, of which nothing runs."""
    home, packages, dags = (tmp_path_factory.mktemp(name) for name in ("home", "packages", "dags"))
    variables = environment(home, packages, dags) | {
        "AIRFLOW__CORE__AUTH_MANAGER": AUTH_MANAGERS["fab"],
        "AIRFLOW__API__BASE_URL": f"https://{HOST}",
        "AIRFLOW__FAB__COOKIE_SECURE": "True",
        "ADMIN_USERNAME": "admin",
        "ADMIN_PASSWORD": PASSWORD,
    }
    airflow = Airflow(home, variables)
    done = airflow.run(*MIGRATE)
    assert done.returncode == 0, done.stderr
    return airflow


@pytest.fixture(scope="module", params=[THIS_MACHINE, ELSEWHERE])
def trusting(request: pytest.FixtureRequest, migrated: Airflow) -> Generator[tuple[Airflow, bool]]:
    """Return an API server and whether it believes the proxy, which is this test."""
    airflow = replace(migrated, environment={**migrated.environment, "FORWARDED_ALLOW_IPS": request.param}, processes={})
    airflow.launch("api-server", *OPTIONS)
    airflow.client = httpx.Client(base_url=f"http://127.0.0.1:{airflow.environment['AIRFLOW__API__PORT']}", timeout=20)
    try:
        until(lambda: answers(airflow), "the api-server answers", airflow, timeout_seconds=120)
        yield airflow, request.param == THIS_MACHINE
    finally:
        airflow.stop()


def answers(airflow: Airflow) -> bool:
    try:
        return airflow.client.get(HEALTH_PATH).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def log_in(airflow: Airflow, more: Mapping[str, str] | None = None) -> httpx.Response:
    """Log in as a browser does that opened the page by its address, and return where it is sent with what cookies."""
    headers = {**FORWARDED, **(more or {})}
    page = airflow.client.get("/auth/login/", headers=headers)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
    session = re.search(r"session=([^;]+)", page.headers["set-cookie"])
    assert token, page.text[:2000]
    assert session
    form = {"username": "admin", "password": PASSWORD, "csrf_token": token[1]}
    referer = {"Referer": f"https://{HOST}/auth/login/", "Cookie": f"session={session[1]}"}
    answer = airflow.client.post("/auth/login/", data=form, headers={**headers, **referer})
    airflow.client.cookies.clear()
    assert answer.status_code == httpx.codes.FOUND, answer.text[:2000]
    return answer


def test_whoever_logs_in_through_the_proxy_gets_cookies_that_never_travel_in_plain(trusting: tuple[Airflow, bool]):
    airflow, believed = trusting
    cookies = {one.partition("=")[0]: one.lower() for one in log_in(airflow).headers.get_list("set-cookie")}
    assert "; secure" in cookies["session"]
    assert ("; secure" in cookies["_token"]) is believed, "Airflow learns from the proxy alone that there is TLS"


def test_nobody_is_sent_to_a_host_that_a_header_names(trusting: tuple[Airflow, bool]):
    airflow, _ = trusting
    forged = {"X-Forwarded-Host": "evil.example.org", "X-Forwarded-Prefix": "/evil"}
    sent_to = log_in(airflow, forged).headers["location"]
    assert "evil" not in sent_to
    assert airflow.client.get("/", headers={**FORWARDED, **forged}).is_success


def test_the_health_check_needs_no_login_no_host_and_no_redirect(trusting: tuple[Airflow, bool]):
    airflow, _ = trusting
    assert airflow.client.get(HEALTH_PATH, headers={"Host": "10.0.3.7:8080"}).status_code == httpx.codes.OK


def test_airflow_keeps_idle_connections_longer_than_the_load_balancer_and_outlasts_its_draining():
    assert conf.getint("api", "worker_timeout") > IDLE_SECONDS
    api_server = components(executor="LocalExecutor", grace_seconds=60, behind_proxy=True)["api-server"]
    assert api_server.drain_seconds >= DRAIN_SECONDS
    assert api_server.grace_seconds > api_server.drain_seconds
