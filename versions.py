"""Every version the platform pins, one constant per line."""

AIRFLOW = "3.3.2"
"""Apache Airflow, as in ``requirements/airflow.txt`` and ``image/Dockerfile``."""

KUBERNETES = "1.35"
"""EKS minor version; the newest that Airflow 3.3 is tested on. Standard support ends 2027-03-27."""

POSTGRESQL = "17"
"""Major version of the metadata database, on RDS and in the cluster."""

POSTGRESQL_IMAGE = "docker.io/library/postgres:17.7"
"""PostgreSQL in the cluster, for stacks without RDS."""
