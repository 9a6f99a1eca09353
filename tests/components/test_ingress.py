"""The address people open Airflow at: what one host name makes of certificate, record, load balancer, policies and cookies."""

from typing import Any

import pytest

from components.airflow_pods import components
from components.hosted_zone import HostedZone, HostedZoneError, checked
from components.load_balancer import KEYS, PREFIX, LoadBalancer, annotations
from tests.components.test_brought import NETWORK, values
from tests.components.variants import kubernetes
from tests.engine.variants import CERTIFICATE, INTERNET_FACING, NODES, ZONE

HOST = "airflow.example.com"
AUTO_MODE = {"ingress": ZONE}
NODE_GROUPS = {"ingress": INTERNET_FACING, "cluster": {"nodeGroups": NODES}}
OTHER = {"host": HOST, "className": "nginx", "issuer": "letsencrypt", "controllerNamespace": "ingress-nginx"}
INGRESS = "networking.k8s.io/v1:Ingress"
NO_INGRESS = ("Ingress", "IngressClass", "IngressClassParams", "Release", "Certificate", "CertificateValidation", "Record")


@pytest.fixture(scope="module")
def auto_mode(deploy: Any) -> Any:
    return deploy("dev", values(**AUTO_MODE))


@pytest.fixture(scope="module")
def node_groups(deploy: Any) -> Any:
    return deploy("dev", values(**NODE_GROUPS))


@pytest.fixture(scope="module")
def other(deploy: Any) -> Any:
    return deploy("local", kubernetes(ingress=OTHER))


def parent(stack: Any, typ: str, name: str) -> str:
    (found,) = [one for one in stack.all(typ) if one.name == name]
    return found.parent.rpartition("$")[2]


def api_server(stack: Any) -> tuple[list[str], dict[str, Any]]:
    """Return the command of the API server and the variables that it alone has."""
    (container,) = stack.pods()["airflow-api-server"]["spec"]["containers"]
    return container["command"], {one["name"]: one.get("value") for one in container.get("env") or []}


def let_in(stack: Any) -> list[Any]:
    """Return who may send to the API server, beside Airflow's own pods."""
    (rule,) = stack.only("NetworkPolicy", "airflow-api-server")["spec"]["ingress"]
    assert rule["ports"] == [{"port": 8080, "protocol": "TCP"}]
    own, *others = rule["from"]
    assert own == {"podSelector": {"matchLabels": {"app.kubernetes.io/name": "airflow"}}}
    return others


def test_without_a_host_nothing_is_made_nobody_is_let_in_and_no_header_is_believed(every: Any):
    assert [one.urn for typ in NO_INGRESS for one in every.all(typ)] == []
    assert let_in(every) == []
    command, alone = api_server(every)
    assert not {"FORWARDED_ALLOW_IPS", "AIRFLOW__FAB__COOKIE_SECURE", "AIRFLOW__API__BASE_URL"} & {*alone, *every.environment()}
    assert command[2:] == ["python", "-m", "dagsync.waiting", "api-server"]


def test_an_internal_load_balancer_in_the_private_subnets_is_asked_for(auto_mode: Any):
    ingress = auto_mode.only(INGRESS)
    assert ingress["metadata"]["name"] == "airflow-internal"
    assert ingress["metadata"]["annotations"] == {
        "alb.ingress.kubernetes.io/scheme": "internal",
        "alb.ingress.kubernetes.io/target-type": "ip",
        "alb.ingress.kubernetes.io/subnets": "${network-private-0.id},${network-private-1.id}",
        "alb.ingress.kubernetes.io/inbound-cidrs": "10.0.0.0/16",
        "alb.ingress.kubernetes.io/listen-ports": '[{"HTTP": 80}, {"HTTPS": 443}]',
        "alb.ingress.kubernetes.io/ssl-redirect": "443",
        "alb.ingress.kubernetes.io/ssl-policy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
        "alb.ingress.kubernetes.io/certificate-arn": "${airflow.arn}",
        "alb.ingress.kubernetes.io/healthcheck-path": "/api/v2/version",
        "alb.ingress.kubernetes.io/success-codes": "200",
        "alb.ingress.kubernetes.io/target-group-attributes": "deregistration_delay.timeout_seconds=30",
        "alb.ingress.kubernetes.io/load-balancer-attributes": (
            "idle_timeout.timeout_seconds=110,routing.http.drop_invalid_header_fields.enabled=true,deletion_protection.enabled=false"
        ),
    }
    backend = {"service": {"name": "airflow-api-server", "port": {"number": 80}}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    assert ingress["spec"] == {"ingressClassName": "alb", "rules": [{"host": HOST, "http": {"paths": paths}}]}
    assert parent(auto_mode, INGRESS, "airflow") == "airflow-control-plane:index:Ingress::airflow"


def test_one_that_faces_the_internet_is_in_the_public_subnets_for_those_named(node_groups: Any):
    ingress = node_groups.only(INGRESS)["metadata"]
    assert ingress["name"] == "airflow-internet-facing"
    found = {key.removeprefix(f"{PREFIX}/"): value for key, value in ingress["annotations"].items()}
    assert found["scheme"] == "internet-facing"
    assert found["subnets"] == "${network-public-0.id},${network-public-1.id}"
    assert found["inbound-cidrs"] == "192.0.2.0/24"


def test_the_load_balancer_comes_after_a_pod_it_can_send_to_and_after_what_makes_it(auto_mode: Any, node_groups: Any):
    for stack, maker in ((auto_mode, "IngressClass::alb"), (node_groups, "Release::load-balancer-controller")):
        (ingress,) = stack.all(INGRESS)
        assert any(urn.endswith("Deployment::airflow-api-server") for urn in ingress.dependencies)
        assert any(urn.endswith(maker) for urn in ingress.dependencies)


def test_load_balancers_send_from_their_subnets_and_no_other_address_is_let_in(auto_mode: Any, node_groups: Any):
    assert let_in(auto_mode) == [{"ipBlock": {"cidr": "10.0.0.0/19"}}, {"ipBlock": {"cidr": "10.0.64.0/19"}}]
    assert let_in(node_groups) == [{"ipBlock": {"cidr": "10.0.32.0/21"}}, {"ipBlock": {"cidr": "10.0.96.0/21"}}]


def test_in_a_vpc_that_exists_its_subnets_are_looked_up_and_without_them_it_is_let_in(deploy: Any):
    given = {"host": HOST, "certificateArn": CERTIFICATE}
    subnets = deploy("dev", values(ingress=given, network=NETWORK))
    assert let_in(subnets) == [{"ipBlock": {"cidr": "${subnet-cidr}"}}] * 2
    assert subnets.only(INGRESS)["metadata"]["annotations"][f"{PREFIX}/inbound-cidrs"] == "${vpc-cidr}"
    network = {"vpcId": NETWORK["vpcId"], "databaseSubnetIds": NETWORK["databaseSubnetIds"]}
    tagged = deploy("dev", values(ingress=given, network=network, cluster={"name": "platform"}))
    assert let_in(tagged) == [{"ipBlock": {"cidr": "${vpc-cidr}"}}]
    assert f"{PREFIX}/subnets" not in tagged.only(INGRESS)["metadata"]["annotations"]


def test_the_certificate_is_used_once_its_domain_is_proven(auto_mode: Any):
    assert auto_mode.only("acm/certificate:Certificate") == {"domainName": HOST, "validationMethod": "DNS"}
    assert auto_mode.only("Record", "airflow-proof") == {
        "zoneId": ZONE["zoneId"],
        "name": "${airflow.resourceRecordName}",
        "type": "CNAME",
        "records": ["${airflow.resourceRecordValue}"],
        "ttl": 300,
        "allowOverwrite": True,
    }
    validation = auto_mode.only("CertificateValidation")
    assert validation == {"certificateArn": "${airflow.arn}", "validationRecordFqdns": ["${airflow-proof.fqdn}"]}
    (ingress,) = auto_mode.all(INGRESS)
    assert any("CertificateValidation" in urn for urn in ingress.dependencies)
    for typ, name in (("acm/certificate:Certificate", "airflow"), ("Record", "airflow-proof")):
        assert parent(auto_mode, typ, name) == "airflow-control-plane:index:Certificate::airflow"


def test_the_host_leads_to_the_load_balancer_wherever_that_moves(auto_mode: Any):
    alias = {"name": "${airflow.loadBalancer}", "zoneId": "${load-balancers-zone}", "evaluateTargetHealth": False}
    expected = {"zoneId": ZONE["zoneId"], "name": HOST, "type": "A", "aliases": [alias]}
    assert auto_mode.only("Record", "airflow") == expected
    assert parent(auto_mode, "Record", "airflow") == "airflow-control-plane:index:AddressRecord::airflow"


def test_a_certificate_that_is_brought_is_used_and_none_is_made(deploy: Any):
    alone = deploy("dev", values(ingress={"host": HOST, "certificateArn": CERTIFICATE}))
    both = deploy("dev", values(ingress={**ZONE, "certificateArn": CERTIFICATE}))
    for stack, records in ((alone, []), (both, ["airflow"])):
        assert not stack.all("acm/certificate:Certificate")
        assert stack.only(INGRESS)["metadata"]["annotations"][f"{PREFIX}/certificate-arn"] == CERTIFICATE
        assert [one.name for one in stack.all("Record")] == records


def test_one_host_name_is_also_the_address_in_links_and_the_end_of_plain_http(auto_mode: Any):
    data = auto_mode.environment()
    assert data["AIRFLOW__API__BASE_URL"] == f"https://{HOST}"
    # Tasks stay inside.
    assert data["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://airflow-api-server:80/execution/"


def test_the_api_server_believes_the_headers_of_its_load_balancer_alone(auto_mode: Any):
    command, alone = api_server(auto_mode)
    assert command[2:] == ["python", "-m", "dagsync.waiting", "api-server", "--proxy-headers"]
    assert alone["FORWARDED_ALLOW_IPS"] == "10.0.0.0/19,10.0.64.0/19"
    assert alone["AIRFLOW__FAB__COOKIE_SECURE"] == "True"
    # ProxyFix would believe X-Forwarded-Host too, which a load balancer hands on from anybody.
    assert not [key for key in (*alone, *auto_mode.environment()) if "PROXY_FIX" in key]
    others = [name for name, pod in auto_mode.pods().items() if "FORWARDED_ALLOW_IPS" in str(pod)]
    assert others == ["airflow-api-server"], "another scheme restarts nothing else"


def test_auto_mode_is_given_a_class_that_only_airflow_s_namespace_may_use(auto_mode: Any):
    selector = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "airflow"}}}
    assert auto_mode.only("IngressClassParams")["spec"] == selector
    assert auto_mode.only("IngressClass")["spec"] == {
        "controller": "eks.amazonaws.com/alb",
        "parameters": {"apiGroup": "eks.amazonaws.com", "kind": "IngressClassParams", "name": "alb"},
    }
    assert not auto_mode.all("Release")


def test_a_cluster_that_is_brought_has_its_owner_s_class(deploy: Any):
    given = {"host": HOST, "certificateArn": CERTIFICATE}
    stack = deploy("dev", values(ingress=given, network=NETWORK, cluster={"name": "platform"}))
    assert stack.only(INGRESS)["spec"]["ingressClassName"] == "alb"
    assert not [one for typ in ("IngressClass", "IngressClassParams", "Release") for one in stack.all(typ)]


@pytest.mark.parametrize("identity", ["podIdentity", "irsa"])
def test_nodes_of_their_own_get_the_controller_with_a_role_of_its_own(deploy: Any, identity: str):
    stack = deploy("dev", values(ingress=ZONE, cluster={"nodeGroups": NODES, "identity": identity}))
    release = stack.only("Release")
    assert (release["name"], release["namespace"]) == ("aws-load-balancer-controller", "kube-system")
    assert (release["chart"], release["version"]) == ("aws-load-balancer-controller", "3.5.0")
    given = release["values"]
    assert (given["clusterName"], given["region"], given["vpcId"]) == ("${cluster.name}", "eu-west-1", "${network.id}")
    assert not any(given[key] for key in ("enableShield", "enableWaf", "enableWafv2", "enableServiceMutatorWebhook"))
    (role,) = [one for one in stack.all("iam/role:Role") if one.name == "aws-load-balancer-controller"]
    assert role.parent.endswith("WorkloadIdentity::aws-load-balancer-controller")
    account = given["serviceAccount"]
    assert account["name"] == "aws-load-balancer-controller"
    bound = [one.inputs["serviceAccount"] for one in stack.all("PodIdentityAssociation")]
    if identity == "irsa":
        assert account["annotations"] == {"eks.amazonaws.com/role-arn": "${aws-load-balancer-controller.arn}"}
        assert bound == []
    else:
        assert account["annotations"] == {}
        assert "aws-load-balancer-controller" in bound
    assert not stack.all("IngressClassParams"), "the chart brings the class"


def test_a_protected_load_balancer_refuses_deletion_at_both_ends(deploy: Any):
    stack = deploy("dev", {**values(ingress=ZONE), "airflow-control-plane:protect": True})
    (ingress,) = stack.all(INGRESS)
    attributes = ingress.inputs["metadata"]["annotations"][f"{PREFIX}/load-balancer-attributes"]
    assert "deletion_protection.enabled=true" in attributes
    assert (ingress.protect, ingress.retain_on_delete) == (True, False)


def test_another_class_gets_its_certificate_from_the_cluster_and_lets_its_controller_in(other: Any):
    ingress = other.only(INGRESS)
    assert ingress["metadata"]["name"] == "airflow"
    assert ingress["metadata"]["annotations"] == {
        "cert-manager.io/cluster-issuer": "letsencrypt",
        "pulumi.com/skipAwait": "true",
    }
    assert ingress["spec"]["ingressClassName"] == "nginx"
    assert ingress["spec"]["tls"] == [{"hosts": [HOST], "secretName": "airflow-tls"}]
    controller = {"matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}}
    assert let_in(other) == [{"namespaceSelector": controller}]
    assert api_server(other)[1]["FORWARDED_ALLOW_IPS"] == "*"
    assert other.environment()["AIRFLOW__API__BASE_URL"] == f"https://{HOST}"


def test_another_class_takes_a_secret_that_exists_annotations_of_its_own_and_the_cluster_s_default(deploy: Any):
    given = {"host": HOST, "tlsSecret": "page", "controllerNamespace": "traefik", "annotations": {"traefik.io/x": "y"}}
    ingress = deploy("local", kubernetes(ingress=given)).only(INGRESS)
    assert ingress["metadata"]["annotations"] == {"traefik.io/x": "y", "pulumi.com/skipAwait": "true"}
    assert "ingressClassName" not in ingress["spec"]
    assert ingress["spec"]["tls"][0]["secretName"] == "page"


def test_every_annotation_that_is_decided_is_refused_in_settings():
    balancer = LoadBalancer(scheme="internal", certificate_arn="arn", source_cidrs=["10.0.0.0/8"], subnet_ids=["subnet-1"])
    assert {key.removeprefix(f"{PREFIX}/") for key in annotations(balancer)} == set(KEYS)


def test_a_pod_goes_on_answering_until_a_load_balancer_has_heard_that_it_leaves():
    behind, alone = (
        components(executor="LocalExecutor", grace_seconds=60, behind_proxy=behind_proxy)["api-server"]
        for behind_proxy in (True, False)
    )
    assert (behind.drain_seconds, alone.drain_seconds) == (30, 5)
    assert behind.grace_seconds > behind.drain_seconds


@pytest.mark.parametrize("host", ["example.com", "airflow.example.com", "airflow.data.example.com"])
def test_a_zone_holds_its_own_name_and_those_below(host: str):
    zone = HostedZone(id="Z1", name="example.com.", private=False)
    assert checked(zone, host=host, validates=True) == "Z1"


@pytest.mark.parametrize("host", ["airflow.example.org", "notexample.com"])
def test_a_host_outside_of_the_zone_is_refused(host: str):
    with pytest.raises(HostedZoneError, match=r"not in the zone of ingress\.zoneId 'Z1'; allowed: example\.com or"):
        checked(HostedZone(id="Z1", name="example.com", private=False), host=host, validates=False)


def test_a_private_zone_holds_a_record_and_proves_nothing_to_acm():
    zone = HostedZone(id="Z1", name="example.com", private=True)
    assert checked(zone, host=HOST, validates=False) == "Z1"
    with pytest.raises(HostedZoneError, match="private zone"):
        checked(zone, host=HOST, validates=True)
