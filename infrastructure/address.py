"""The address of Airflow's page: its Ingress, and its name in DNS where a zone is given."""

import pulumi

from components.address_record import AddressRecord, AddressRecordArgs
from components.airflow import Airflow
from components.ingress import Ingress, IngressArgs
from infrastructure.model import Infrastructure
from settings import Settings


def address(
    settings: Settings, platform: Infrastructure, airflow: Airflow, namespace: pulumi.Input[str]
) -> pulumi.Output[str] | None:
    """Declare the way to the page, and return the host name of its load balancer; None without one that tells it."""
    host = settings.ingress.host
    if host is None or platform.front is None:
        return None
    args = IngressArgs(
        namespace=namespace, host=host, service=airflow.service_name, api_server=airflow.api_server, front=platform.front
    )
    ingress = Ingress("airflow", args, opts=pulumi.ResourceOptions(provider=platform.provider))
    if platform.zone_id is not None and ingress.load_balancer is not None:
        record = AddressRecordArgs(host=host, zone_id=platform.zone_id, load_balancer=ingress.load_balancer)
        AddressRecord("airflow", record, opts=platform.account)
    return ingress.load_balancer
