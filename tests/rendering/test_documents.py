"""What `make render` prints."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from rendering import render_stack
from rendering.documents import SECRET, documents, to_yaml

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "rendering", *arguments], cwd=ROOT, capture_output=True, text=True)


@pytest.mark.parametrize("stack", ["local", "prod"])
def test_every_document_says_what_it_is(stack: str):
    done = run(stack)
    assert done.returncode == 0, done.stderr
    found = list(yaml.safe_load_all(done.stdout))
    assert len(found) > 30
    for document in found:
        assert document["apiVersion"]
        assert document["kind"]
        assert document["metadata"]["name"]
    names = [(d["apiVersion"], d["kind"], d["metadata"].get("namespace"), d["metadata"]["name"]) for d in found]
    assert len(set(names)) == len(names)


def test_a_stack_on_aws_shows_both_sides_of_it():
    kinds = {document["kind"] for document in documents(render_stack("prod"))}
    assert {"Deployment", "NetworkPolicy", "aws:rds/instance:Instance", "eks:index:Cluster", "aws:s3/bucket:Bucket"} <= kinds


def test_kubernetes_only_leaves_manifests_that_kubectl_takes_in_order():
    found = list(yaml.safe_load_all(run("prod", "--kubernetes-only").stdout))
    assert found[0]["kind"] == "Namespace"
    assert all(document["apiVersion"] != "pulumi" for document in found)


def test_two_renderings_are_the_same_to_the_byte():
    first, second = (to_yaml(documents(render_stack("local"))) for _ in range(2))
    assert first == second


def test_secrets_are_masked():
    secrets = [document for document in documents(render_stack("local")) if document["kind"] == "Secret"]
    assert len(secrets) == 6
    for secret in secrets:
        assert secret["stringData"], secret["metadata"]["name"]
        assert set(secret["stringData"].values()) == {SECRET}, secret["metadata"]["name"]


def test_an_unknown_stack_is_answered_with_those_there_are():
    done = run("production")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "no stack 'production': there is no Pulumi.production.yaml; stacks: dev, local, prod\n"
