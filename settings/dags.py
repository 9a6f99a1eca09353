"""Settings of where packages come from, and how they become DAGs."""

from typing import Literal

from pydantic import Field

from settings.section import Section
from settings.values import EndpointUrl, KubernetesName, S3Url


class DagsSettings(Section):
    """Where packages of jobs come from, and how they become DAGs in the pods that read them."""

    source: Literal["image", "s3"] = "image"
    """image: packages are built in, a new job needs a rollout. s3: what ``dagsync publish`` puts into a bucket."""

    delivery: Literal["init", "sidecar", "bundle"] = "sidecar"
    """init renders DAGs once per pod start; sidecar keeps rendering; bundle leaves it to Airflow, a version per run."""

    url: S3Url | None = Field(default=None, examples=["s3://bucket/prefix"])
    """Bucket and prefix of source s3 on the kubernetes platform; the eks platform makes a bucket."""

    endpoint_url: EndpointUrl | None = Field(default=None, examples=["http://minio.storage.svc:9000"])
    """Address of a store with S3's protocol; none uses AWS."""

    credentials_secret: KubernetesName | None = Field(default=None, examples=["s3-credentials"])
    """Secret in the namespace with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; none uses what the pod finds."""

    interval_seconds: int | None = Field(default=None, ge=5, le=86400)
    """Seconds between two syncs of the sidecar; none is 300 with source image and 10, one small request each, with s3."""

    refresh_seconds: int = Field(default=30, ge=5, le=3600)
    """Seconds between two looks of the dag-processor for new and removed files, or for a new version of the bundle."""

    def sync_interval_seconds(self) -> int:
        """Return the seconds between two syncs of the sidecar."""
        return self.interval_seconds or {"image": 300, "s3": 10}[self.source]

    def worst_case_seconds(self) -> int:
        """Return the seconds to a visible DAG, at worst: from what ``visible_after`` says.

        After a rollout DAGs are rendered before Airflow starts; after a publication the sidecar must look first.
        """
        looks_first = self.delivery == "sidecar" and self.visible_after() == "publish"
        return self.refresh_seconds + (self.sync_interval_seconds() if looks_first else 0)

    def visible_after(self) -> Literal["publish", "rollout"]:
        """Return what a new job waits for, beside those seconds."""
        return "publish" if self.source == "s3" and self.delivery != "init" else "rollout"
