"""IAM and bucket policy documents, as pure functions that return JSON text."""

import json
from dataclasses import dataclass
from typing import Any


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def pod_identity_trust(namespace: str, service_account: str) -> str:
    """Return the trust policy of a role that EKS Pod Identity gives to one service account.

    The tags in the condition are set by EKS, not by who asks.
    Source: EKS user guide, "Create IAM role with trust policy required by EKS Pod Identity".
    """
    tags = {
        "aws:RequestTag/kubernetes-namespace": namespace,
        "aws:RequestTag/kubernetes-service-account": service_account,
    }
    return _document(
        {
            "Effect": "Allow",
            "Principal": {"Service": "pods.eks.amazonaws.com"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Condition": {"StringEquals": tags},
        }
    )


def irsa_trust(provider_arn: str, issuer: str, namespace: str, service_account: str) -> str:
    """Return the trust policy of a role that the tokens of one service account may assume.

    ``issuer`` is the cluster's OIDC issuer without ``https://``, ``provider_arn`` the IAM OIDC provider of it.
    Source: EKS user guide, "Assign IAM roles to Kubernetes service accounts".
    """
    claims = {f"{issuer}:aud": "sts.amazonaws.com", f"{issuer}:sub": f"system:serviceaccount:{namespace}:{service_account}"}
    return _document(
        {
            "Effect": "Allow",
            "Principal": {"Federated": provider_arn},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": claims},
        }
    )


def node_trust() -> str:
    """Return the trust policy of the role of nodes."""
    return _service_trust("ec2.amazonaws.com")


def proxy_trust() -> str:
    """Return the trust policy of the role of a database proxy."""
    return _service_trust("rds.amazonaws.com")


def flow_logs_trust(vpc_arn: str) -> str:
    """Return the trust policy of the role that flow logs of the account and region of a VPC are written with.

    Source: Amazon VPC user guide, "IAM role for publishing flow logs to CloudWatch Logs".
    """
    _, partition, _, region, account, *_ = vpc_arn.split(":")
    return _service_trust(
        "vpc-flow-logs.amazonaws.com",
        {
            "StringEquals": {"aws:SourceAccount": account},
            "ArnLike": {"aws:SourceArn": f"arn:{partition}:ec2:{region}:{account}:vpc-flow-log/*"},
        },
    )


def _service_trust(service: str, condition: dict[str, Any] | None = None) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return _document({**statement, "Condition": condition} if condition is not None else statement)


def tls_only(bucket_arn: str) -> str:
    """Return a bucket policy that refuses requests over plain HTTP."""
    return _document(
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [bucket_arn, f"{bucket_arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    )


@dataclass(frozen=True, kw_only=True)
class PrefixAccess:
    """Use of the objects below one prefix of a bucket."""

    bucket_arn: str
    prefix: str
    write: bool = False
    """Whether objects may be put, too."""


Statement = dict[str, Any]


def allowing(*statements: Statement) -> str:
    """Return an identity policy of these statements, as JSON."""
    return _document(*statements)


def objects_below(access: PrefixAccess) -> list[Statement]:
    """Return what reads, or also writes, objects below a prefix and nothing else."""
    return [
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject"] if access.write else ["s3:GetObject"],
            "Resource": f"{access.bucket_arn}/{access.prefix}/*",
        },
        {
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": access.bucket_arn,
            "Condition": {"StringLike": {"s3:prefix": [f"{access.prefix}/*"]}},
        },
    ]


def read_secret(secret_arn: str) -> Statement:
    """Return what reads one secret of Secrets Manager."""
    return {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": secret_arn}


def connect_to_database(user_arn: str) -> Statement:
    """Return what logs in to RDS by IAM as one user of one instance or proxy, whose ARN ``user_arn`` is."""
    return {"Effect": "Allow", "Action": "rds-db:connect", "Resource": user_arn}


def write_logs(log_group_arn: str) -> Statement:
    """Return what writes to one log group of CloudWatch, which exists."""
    return {
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams", "logs:PutLogEvents"],
        "Resource": [log_group_arn, f"{log_group_arn}:*"],
    }
