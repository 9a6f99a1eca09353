"""What single values of settings may be, by pattern: names, ranges, ARNs, quantities."""

from typing import Annotated

from pydantic import Field

Cpu = Annotated[str, Field(pattern=r"^(\d+m|\d+(\.\d+)?)$", examples=["250m", "2"])]
Memory = Annotated[str, Field(pattern=r"^\d+(Mi|Gi)$", examples=["512Mi", "2Gi"])]
KubernetesName = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", examples=["airflow"])]
S3Url = Annotated[str, Field(pattern=r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^\s/]+)*$")]
EndpointUrl = Annotated[str, Field(pattern=r"^https?://[^/\s]+$")]
Cidr = Annotated[str, Field(pattern=r"^\d{1,3}(\.\d{1,3}){3}/\d{1,2}$", examples=["10.0.0.0/16"])]
VpcId = Annotated[str, Field(pattern=r"^vpc-[0-9a-f]{8,17}$", examples=["vpc-0123456789abcdef0"])]
SubnetId = Annotated[str, Field(pattern=r"^subnet-[0-9a-f]{8,17}$", examples=["subnet-0123456789abcdef0"])]
EndpointService = Annotated[str, Field(pattern=r"^[a-z0-9]+([.-][a-z0-9]+)*$", examples=["sts"])]
SecretArn = Annotated[
    str,
    Field(
        pattern=r"^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@!-]+$",
        examples=["arn:aws:secretsmanager:eu-west-1:123456789012:secret:airflow-AbCdEf"],
    ),
]
TopicArn = Annotated[
    str,
    Field(
        pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w.-]+$",
        examples=["arn:aws:sns:eu-west-1:123456789012:airflow-alarms"],
    ),
]
DatabaseEndpoint = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*(:\d{1,5})?$", examples=["airflow.abc.eu-west-1.rds.amazonaws.com:5432"])
]
NodeGroupName = Annotated[str, Field(pattern=r"^[a-z][-a-z0-9]{0,29}[a-z0-9]$", examples=["main"])]
"""Short enough for what is put around it: EKS allows 63 characters."""

InstanceType = Annotated[str, Field(pattern=r"^[a-z0-9-]+\.[a-z0-9-]+$", examples=["m7i.large"])]
PrincipalArn = Annotated[
    str,
    Field(
        pattern=r"^arn:aws[a-z-]*:iam::\d{12}:(role|user)/[\w+=,.@/-]+$",
        examples=["arn:aws:iam::123456789012:role/platform-team"],
    ),
]
ClusterName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$", examples=["platform"])]
BucketName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", examples=["company-airflow-logs"])]
HostName = Annotated[
    str,
    Field(
        pattern=r"^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)+[a-z]([-a-z0-9]{0,61}[a-z0-9])?$",
        max_length=253,
        examples=["airflow.example.com"],
    ),
]
HostedZoneId = Annotated[str, Field(pattern=r"^Z[A-Z0-9]{1,31}$", examples=["Z0123456789ABCDEFGHIJ"])]
CertificateArn = Annotated[
    str,
    Field(
        pattern=r"^arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate/[\w-]+$",
        examples=["arn:aws:acm:eu-west-1:123456789012:certificate/0a1b2c3d-0000-1111-2222-333344445555"],
    ),
]
