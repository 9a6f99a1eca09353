"""IAM and bucket policy documents, as pure functions that return JSON text."""

import json
from typing import Any


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def pod_identity_trust() -> str:
    """Return the trust policy of a role for EKS Pod Identity.

    Source: EKS user guide, "Create IAM role with trust policy required by EKS Pod Identity".
    """
    principal = {"Service": "pods.eks.amazonaws.com"}
    return _document({"Effect": "Allow", "Principal": principal, "Action": ["sts:AssumeRole", "sts:TagSession"]})


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


def task_logs(bucket_arn: str, prefix: str, *, write: bool) -> str:
    """Return what reads, or with ``write`` also writes, task logs below ``prefix`` and nothing else."""
    return _document(
        {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject"] if write else ["s3:GetObject"],
            "Resource": f"{bucket_arn}/{prefix}/*",
        },
        {
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": bucket_arn,
            "Condition": {"StringLike": {"s3:prefix": [f"{prefix}/*"]}},
        },
    )
