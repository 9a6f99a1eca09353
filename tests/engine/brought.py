"""What others made before the stack, in its account and in theirs, where variants and edits name it."""

import json

from doubles.aws_live.account import Account
from tests.engine.variants import SECRET

COMPANY = SECRET.split(":")[4]
LOG_BUCKET = "company-airflow-logs"
LOGIN = json.dumps({"username": "air:flow", "password": "chosen-by-somebody/@:%"})


def bring(account: Account) -> None:
    """Make it, the company's once: a bucket for logs, a login, and that this account trusts the cluster ``platform``."""
    s3, manager = (account.client(service, owner=COMPANY) for service in ("s3", "secretsmanager"))
    if LOG_BUCKET not in [one["Name"] for one in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket=LOG_BUCKET, CreateBucketConfiguration={"LocationConstraint": account.region})
        name, _, suffix = SECRET.rpartition(":")[2].rpartition("-")
        # By this tag moto takes the end of the ARN, which it would draw.
        manager.create_secret(Name=name, SecretString=LOGIN, Tags=[{"Key": "_custom_id_", "Value": suffix}])
    issuer = f"https://oidc.eks.{account.region}.amazonaws.com/id/PLATFORM"
    account.client("iam").create_open_id_connect_provider(Url=issuer, ClientIDList=["sts.amazonaws.com"])
