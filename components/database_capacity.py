"""How many connections Airflow's pools may open, and how many an RDS instance class takes, as pure functions."""

from collections.abc import Mapping

POOL_SIZE, POOL_OVERFLOW = 5, 10
"""Airflow's ``[database] sql_alchemy_pool_size`` and ``sql_alchemy_max_overflow``, for each process and engine."""

ENGINES = {"api-server": 2}
"""Component to the SQLAlchemy engines that may be busy at once, where that is not one: the API server has an async one, too."""

RESERVED = 15
"""Connections PostgreSQL and RDS keep for themselves, and a few for people."""

PROXY_PERCENT = 80
"""Share of ``max_connections`` that a proxy may open; migrations, RDS and people have the rest."""

GIB = 1024**3
BYTES_PER_CONNECTION = 9_531_392
MOST_CONNECTIONS = 5000

SIZES = {"micro": 1, "small": 2, "medium": 4, "large": 8, "xlarge": 16}
"""GiB of memory of burstable and general-purpose classes; ``Nxlarge`` has N times xlarge, memory-optimized ones twice that.

Source: Amazon RDS user guide, "Hardware specifications for DB instance classes".
"""

FAMILIES = {"t": 1, "m": 1, "r": 2}
"""First letter of a family to its memory, relative to SIZES."""


def connections_needed(replicas: Mapping[str, int], *, proxy: bool = False) -> int:
    """Return the connections that pods may open at worst, by component and its replicas.

    That is while all of them are rolled: a Deployment starts one pod more than it has, but for the dag-processor. A ``proxy``
    lends a connection for a transaction, and who finds none waits: what pools hold must fit then, how far they grow need not.
    """
    total = 0
    for component, count in replicas.items():
        pods = count if component == "dag-processor" else count + 1
        total += pods * ENGINES.get(component, 1) * (POOL_SIZE if proxy else POOL_SIZE + POOL_OVERFLOW)
    return total


def connections_offered(instance_class: str, *, proxy: bool = False) -> int | None:
    """Return the connections an RDS PostgreSQL instance class has for clients, or None for a class that is not known here.

    With ``proxy``, they are those that one may open.

    RDS sets ``max_connections`` to ``LEAST({DBInstanceClassMemory/9531392}, 5000)``, where that memory is what RDS and the
    operating system leave; how much they take is not published, so 256 MiB and a twentieth are taken for it here.
    Source: Amazon RDS user guide, "Maximum number of database connections".
    """
    memory = _memory_gib(instance_class)
    if memory is None:
        return None
    left = memory * GIB * 0.95 - GIB / 4
    most = min(int(left / BYTES_PER_CONNECTION), MOST_CONNECTIONS)
    return most * PROXY_PERCENT // 100 if proxy else most - RESERVED


def smallest_class(instance_class: str, connections: int, *, proxy: bool = False) -> str | None:
    """Return the smallest class of the same family that offers ``connections``, or None if none known does."""
    family = instance_class.rpartition(".")[0]
    sizes = [*SIZES, *(f"{count}xlarge" for count in (2, 4, 8, 12, 16))]
    fitting = (
        f"{family}.{size}" for size in sizes if (connections_offered(f"{family}.{size}", proxy=proxy) or 0) >= connections
    )
    return next(fitting, None)


def _memory_gib(instance_class: str) -> int | None:
    _, family, size = instance_class.split(".")
    # A family is a letter, a generation and perhaps options of the processor; x1e and z1d follow other rules.
    factor = FAMILIES.get(family[0]) if len(family) > 1 and family[1].isdigit() else None
    if factor is None:
        return None
    if size in SIZES:
        return SIZES[size] * factor
    count = size.removesuffix("xlarge")
    return SIZES["xlarge"] * int(count) * factor if size.endswith("xlarge") and count.isdigit() else None
