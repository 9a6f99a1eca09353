"""Settings of the address people open Airflow at."""

import pytest

from settings import SettingsError, load_settings
from tests.settings.test_brought import NETWORK, TWO, stack

HOST = {"host": "airflow.example.com"}
ZONE = {**HOST, "zoneId": "Z0123456789ABCDEFGHIJ"}
CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/0a1b2c3d-0000-1111-2222-333344445555"
OTHER = {**HOST, "className": "nginx", "tlsSecret": "airflow-page", "controllerNamespace": "ingress-nginx"}
FACING = {"scheme": "internet-facing"}
LONG = f"{'a' * 61}.example.com"
FIXED = "alb.ingress.kubernetes.io/scheme"


@pytest.mark.parametrize(
    ("platform", "ingress"),
    [
        ("eks", ZONE),
        ("eks", {**HOST, "certificateArn": CERTIFICATE}),
        # A certificate that is brought leaves the zone its record.
        ("eks", {**ZONE, "certificateArn": CERTIFICATE}),
        ("eks", {**ZONE, "host": LONG, "certificateArn": CERTIFICATE}),
        ("eks", {**ZONE, "className": "alb", "sourceCidrs": ["192.0.2.0/24"]}),
        ("eks", {**ZONE, **FACING, "sourceCidrs": ["192.0.2.0/24"]}),
        (
            "eks",
            {**ZONE, "annotations": {"alb.ingress.kubernetes.io/wafv2-acl-arn": "arn:aws:wafv2:eu-west-1:1:regional/webacl/x"}},
        ),
        ("eks", OTHER),
        ("kubernetes", OTHER),
        ("kubernetes", {**HOST, "issuer": "letsencrypt", "controllerNamespace": "traefik"}),
    ],
)
def test_a_host_with_a_certificate_and_somebody_who_answers_is_an_address(platform: str, ingress: dict[str, object]):
    settings = load_settings(stack(platform, ingress=ingress), stack="test")
    assert settings.url() == f"https://{ingress['host']}"


def test_without_a_host_the_address_is_what_somebody_says_it_is():
    assert load_settings(stack(), stack="test").url() is None
    proxied = load_settings(stack(airflow={"baseUrl": "https://page.example.com"}), stack="test")
    assert proxied.url() == "https://page.example.com"


@pytest.mark.parametrize(
    ("platform", "sections", "told"),
    [
        (
            "eks",
            {"ingress": {"zoneId": ZONE["zoneId"]}},
            "ingress.zoneId: 'Z0123456789ABCDEFGHIJ'; allowed: nothing without ingress.host",
        ),
        ("eks", {"ingress": FACING}, "ingress.scheme: 'internet-facing'; allowed: nothing without ingress.host"),
        ("eks", {"ingress": HOST}, "ingress.certificateArn: not set; needed, or ingress.zoneId"),
        ("eks", {"ingress": {**ZONE, "host": LONG}}, f"ingress.host: '{LONG}'; allowed: 64 characters"),
        (
            "eks",
            {"ingress": {**HOST, "certificateArn": CERTIFICATE.replace("eu-west-1", "us-east-1")}},
            f"ingress.certificateArn: '{CERTIFICATE.replace('eu-west-1', 'us-east-1')}'; allowed: one in eu-west-1",
        ),
        ("eks", {"ingress": {**ZONE, **FACING}}, "ingress.sourceCidrs: not set; needed with ingress.scheme 'internet-facing'"),
        (
            "eks",
            {"ingress": {**ZONE, **FACING, "sourceCidrs": ["192.0.2.0/24"]}, "network": NETWORK},
            "ingress.scheme: 'internet-facing'; allowed: internal while network.publicSubnetIds is empty",
        ),
        ("eks", {"ingress": {**ZONE, "tlsSecret": "page"}}, "ingress.tlsSecret: 'page'; allowed: nothing with class 'alb'"),
        ("eks", {"ingress": {**ZONE, "issuer": "x"}}, "ingress.issuer: 'x'; allowed: nothing with class 'alb'"),
        (
            "eks",
            {"ingress": {**OTHER, "zoneId": ZONE["zoneId"]}},
            "ingress.zoneId: 'Z0123456789ABCDEFGHIJ'; allowed: nothing without class",
        ),
        ("eks", {"ingress": {**ZONE, "annotations": {FIXED: "internal"}}}, f"ingress.annotations: '{FIXED}'; allowed: others"),
        (
            "eks",
            {"ingress": ZONE, "airflow": {"baseUrl": "https://page.example.com"}},
            "airflow.baseUrl: 'https://page.example.com'; allowed: https://airflow.example.com or nothing",
        ),
        (
            "eks",
            {"ingress": ZONE, "airflow": {"baseUrl": "http://airflow.example.com"}},
            "airflow.baseUrl: 'http://airflow.example.com'; allowed: https://airflow.example.com or nothing",
        ),
        (
            "kubernetes",
            {"ingress": {**OTHER, "zoneId": ZONE["zoneId"]}},
            "ingress.zoneId: 'Z0123456789ABCDEFGHIJ'; allowed: nothing without",
        ),
        (
            "kubernetes",
            {"ingress": {**OTHER, "sourceCidrs": ["192.0.2.0/24"]}},
            "ingress.sourceCidrs: ['192.0.2.0/24']; allowed: nothing",
        ),
        (
            "kubernetes",
            {"ingress": {**HOST, "controllerNamespace": "traefik"}},
            "ingress.tlsSecret: not set; needed, or ingress.issuer",
        ),
        (
            "kubernetes",
            {"ingress": {**HOST, "issuer": "letsencrypt"}},
            "ingress.controllerNamespace: not set; needed, since network",
        ),
        (
            "kubernetes",
            {"ingress": {**OTHER, "annotations": {"cert-manager.io/cluster-issuer": "x"}}},
            "ingress.annotations: 'cert-manager.io/cluster-issuer'; allowed: others",
        ),
    ],
)
def test_an_address_that_cannot_work_is_refused_with_its_reason_and_fix(
    platform: str, sections: dict[str, dict[str, object]], told: str
):
    with pytest.raises(SettingsError) as caught:
        load_settings(stack(platform, **sections), stack="test")
    text = str(caught.value)
    assert "1 problem:" in text
    assert f"\n  {told}" in text
    assert "\n      fix: " in text


def test_a_vpc_with_public_subnets_may_face_the_internet():
    ingress = {**ZONE, **FACING, "sourceCidrs": ["192.0.2.0/24"]}
    load_settings(stack(ingress=ingress, network={**NETWORK, "publicSubnetIds": TWO}), stack="test")


@pytest.mark.parametrize(
    "host", ["airflow", "Airflow.example.com", "https://airflow.example.com", "airflow.example.com/x", "*.example.com"]
)
def test_a_host_is_one_name_in_dns(host: str):
    with pytest.raises(SettingsError, match=r"ingress\.host"):
        load_settings(stack(ingress={**ZONE, "host": host}), stack="test")
