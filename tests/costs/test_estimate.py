"""What stacks cost: every line from what is declared, and nothing that has no price."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from typer.testing import CliRunner

from costs import cli
from costs.charges import FIXED, FREE, RULES, Usage, charges
from costs.comparison import MEDIUM, SMALL
from costs.errors import NoPriceError, NoStackError
from costs.estimate import Estimate, estimate
from costs.prices import HOURS_PER_MONTH, read_prices
from costs.stacks import declared
from rendering import RecordedResource
from rendering.program import stack_file
from tests.engine.variants import REMOVED, VARIANTS

PROJECT = "airflow-control-plane"
Ask = Callable[..., Estimate]


def configured(stack: str, changes: Mapping[str, Any], without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a stack's configuration with settings changed, as ``section.key`` or whole sections."""
    values = dict(stack_file(stack))
    for key, value in changes.items():
        section, _, inner = key.rpartition(".")
        place = f"{PROJECT}:{section or inner}"
        values[place] = {**values.get(place, {}), inner: value} if section else value
    for key in without:
        section, _, inner = key.rpartition(".")
        values[f"{PROJECT}:{section}"].pop(inner)
    return values


@pytest.fixture(scope="module")
def ask() -> Ask:
    """Return a function from a stack and changed settings to the estimate."""
    made: dict[str, list[RecordedResource]] = {}

    def of(
        stack: str, changes: Mapping[str, Any] | None = None, usage: Usage | None = None, region: str = "eu-west-1"
    ) -> Estimate:
        key = json.dumps([stack, dict(changes or {})])
        if key not in made:
            made[key] = declared(stack, configured(stack, changes or {}))[1]
        return estimate(made[key], read_prices(region), usage or Usage())

    return of


def amount(found: Estimate, item: str) -> Decimal:
    return sum((line.monthly for line in found.lines if line.item == item), Decimal(0))


def quantity(found: Estimate, item: str) -> Decimal:
    return sum((line.quantity for line in found.lines if line.item == item), Decimal(0))


def test_local_costs_nothing_on_aws(ask: Ask):
    assert ask("local").monthly == 0


def test_what_prod_declares_is_counted(ask: Ask):
    found, prices = ask("prod"), read_prices("eu-west-1")
    assert quantity(found, "nat.gateway") == quantity(found, "ipv4.address") == 3
    assert amount(found, "nat.gateway") == 3 * prices.of("nat.gateway").usd * HOURS_PER_MONTH
    assert amount(found, "eks.cluster") == prices.of("eks.cluster").usd * HOURS_PER_MONTH
    # A standby costs what it stands by for, and so does its storage.
    assert quantity(found, "rds.postgresql.db.m7g.large") == 2
    assert quantity(found, "rds.storage.gp3") == 200
    assert quantity(found, "cloudwatch.alarm") == 3
    assert quantity(found, "kms.key") == 1
    # Task logs and packages.
    assert quantity(found, "s3.standard") == 2 * Usage().bucket_gib
    assert found.monthly == sum(found.components.values())
    instances = sum(line.monthly for line in found.lines if line.item.startswith("ec2."))
    assert amount(found, "eks.auto-mode") == instances * prices.of("eks.auto-mode").usd


@pytest.mark.parametrize(
    ("changes", "item", "more"),
    [
        ({"network.nat": "perZone"}, "nat.gateway", 1),
        ({"database.multiAz": True}, "rds.postgresql.db.t4g.small", 1),
        ({"database.storageGib": 60}, "rds.storage.gp3", 40),
        ({"secrets": {"mirror": True}}, "secretsmanager.secret", 4),
        ({"database.login": "secret"}, "secretsmanager.secret", 1),
    ],
)
def test_a_changed_setting_changes_its_line(ask: Ask, changes: Mapping[str, Any], item: str, more: int):
    assert quantity(ask("dev", changes), item) - quantity(ask("dev"), item) >= more
    assert ask("dev", changes).monthly > ask("dev").monthly


def test_larger_pods_need_more_of_nodes(ask: Ask):
    larger = {"airflow.apiServer": {"memory": "12Gi"}}
    assert ask("dev", larger).components["Nodes"] > ask("dev").components["Nodes"]


def test_a_class_without_a_price_is_refused_by_name_of_the_table(ask: Ask):
    with pytest.raises(NoPriceError, match=r"rds\.postgresql\.db\.r7g\.large.*eu-west-1.*costs/prices\.toml") as refusal:
        ask("dev", {"database.instanceClass": "db.r7g.large"})
    assert "rds.postgresql.db.t4g.small" in str(refusal.value)


def test_a_type_nobody_has_said_the_price_of_is_refused():
    with pytest.raises(NoPriceError, match="aws:redshift/cluster:Cluster"):
        list(charges("aws:redshift/cluster:Cluster", {}, Usage()))


def test_a_region_without_prices_is_refused():
    with pytest.raises(NoPriceError, match="ap-south-1"):
        read_prices("ap-south-1")


def test_no_type_is_both_free_and_charged():
    assert not (RULES.keys() | FIXED.keys()) & FREE
    assert not RULES.keys() & FIXED.keys()


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_of_dev_has_a_price(variant: str):
    prices, resources = declared("dev", configured("dev", VARIANTS[variant], REMOVED.get(variant, ())))
    found = estimate(resources, prices, Usage())
    brought = [sentence for sentence in found.left_out if sentence.endswith("brought")]
    assert bool(brought) == (variant.startswith("existing") or "network.vpcId" in VARIANTS[variant])
    assert found.monthly > 0 or variant == "existing-everything"


def test_node_groups_cost_their_least_size_with_disks():
    prices, resources = declared("dev", configured("dev", VARIANTS["node-groups"]))
    found = estimate(resources, prices, Usage())
    assert quantity(found, "ec2.m7g.large") == 3
    assert quantity(found, "ebs.gp3") == 3 * 50
    assert not quantity(found, "eks.auto-mode")
    assert any("spot" in sentence for sentence in found.left_out)


def test_hours_of_task_pods_are_left_out_and_said_or_counted(ask: Ask):
    without = ask("prod")
    assert any("--task-hours" in sentence for sentence in without.left_out)
    one, two = (ask("prod", usage=replace(Usage(), task_hours=Decimal(hours))) for hours in (1000, 2000))
    assert not any("--task-hours" in sentence for sentence in one.left_out)
    assert one.monthly > without.monthly
    assert round(two.monthly - one.monthly, 6) == round(one.monthly - without.monthly, 6)


def test_every_assumption_about_use_has_a_line_and_every_option_moves_it(ask: Ask):
    for field in ("nat_gib", "logs_gib", "bucket_gib", "registry_gib"):
        doubled = ask("prod", usage=replace(Usage(), **{field: getattr(Usage(), field) * 2}))
        assert doubled.monthly > ask("prod").monthly, field
        assert any(f"--{field.replace('_', '-')}" in sentence for sentence in doubled.assumed), field


@pytest.mark.parametrize("region", ["eu-west-1", "us-east-1"])
def test_both_regions_price_the_same_items_and_each_price_has_a_source(ask: Ask, region: str):
    prices = read_prices(region)
    assert prices.items.keys() == read_prices("eu-west-1").items.keys()
    for item, price in prices.items.items():
        assert price.usd > 0, item
        assert prices.source(price).page.startswith("https://aws.amazon.com/"), item
    for name in prices.node_types:
        prices.of(f"ec2.{name}")
    assert ask("prod", region=region).monthly > 0


def test_environments_of_mwaa_are_compared_by_prices_of_the_table():
    prices = read_prices("eu-west-1")
    small, medium = (prices.of(f"mwaa.environment.{one.size}").usd for one in (SMALL, MEDIUM))
    assert small < medium


def test_the_command_prints_lines_assumptions_and_what_is_left_out():
    result = CliRunner().invoke(cli.app, ["prod"])
    assert result.exit_code == 0, result.output
    for words in ("MetadataDatabase", "NAT gateway", "Assumed", "Left out", "taxes", "--task-hours", "costs/prices.toml"):
        assert words in result.output, words


def test_the_command_s_json_adds_up(ask: Ask):
    result = CliRunner().invoke(cli.app, ["dev", "--json", "--nat-gib", "0"])
    document = json.loads(result.output)
    assert document["monthly"] == pytest.approx(sum(line["monthly"] for line in document["lines"]), abs=0.1)
    assert document["monthly"] == float(round(ask("dev", usage=replace(Usage(), nat_gib=Decimal(0))).monthly, 2))
    assert (document["stack"], document["region"], document["currency"]) == ("dev", "eu-west-1", "USD")


def test_an_unknown_stack_is_answered_with_those_there_are():
    result = CliRunner().invoke(cli.app, ["production"])
    assert isinstance(result.exception, NoStackError)
    assert "prod" in str(result.exception)
    assert NoStackError.exit_code == 3
