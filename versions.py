"""Every version the platform pins, one constant per line."""

AIRFLOW = "3.3.2"
"""Apache Airflow, as in ``requirements/airflow.txt`` and ``image/Dockerfile``."""

KUBERNETES = "1.35"
"""EKS minor version; the newest that Airflow 3.3 is tested on. Standard support ends 2027-03-27."""

EKS_ADDONS = {
    "vpc-cni": "v1.21.1-eksbuild.7",
    "kube-proxy": "v1.35.3-eksbuild.2",
    "eks-pod-identity-agent": "v1.3.10-eksbuild.2",
    "coredns": "v1.13.2-eksbuild.4",
    "aws-ebs-csi-driver": "v1.60.0-eksbuild.1",
}
"""Add-ons of clusters with managed node groups, for KUBERNETES; ``aws eks describe-addon-versions`` lists newer ones."""

LOAD_BALANCER_CONTROLLER = "3.5.0"
"""Helm chart of the AWS Load Balancer Controller, for clusters with managed node groups."""

POSTGRESQL = "17"
"""Major version of the metadata database, on RDS and in the cluster."""

POSTGRESQL_IMAGE = "docker.io/library/postgres:17.7"
"""PostgreSQL in the cluster, for stacks without RDS."""

AIRFLOW_IMAGE = f"docker.io/apache/airflow:{AIRFLOW}-python3.12"
"""The official image that ours stands on, as ``BASE_IMAGE`` in ``image/Dockerfile``."""
