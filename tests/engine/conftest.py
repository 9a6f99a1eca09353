"""The real engine, with doubles for its providers."""

import itertools
import os
import runpy
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from components.image_content import SOURCES
from doubles.aws import REGION
from doubles.aws_live.account import Account
from doubles.cloud import Cloud
from doubles.kubernetes import KubernetesDouble
from tests.built_tools import REPOSITORY
from tests.engine.driven_stack import DrivenStack
from tests.engine.moto_server import MotoServer, moto_server

Drive = Callable[..., DrivenStack]


def whole_program() -> None:
    """Run the repository's program as ``pulumi up`` does."""
    runpy.run_path(str(REPOSITORY / "__main__.py"), run_name="__main__")


def build_context(folder: Path) -> Path:
    """Copy what the image is built from: its tag follows the content, which somebody may edit while the tests run."""
    for source in (*SOURCES, "examples"):
        origin, copy = REPOSITORY / source, folder / source
        copy.parent.mkdir(parents=True, exist_ok=True)
        if origin.is_dir():
            shutil.copytree(origin, copy, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(origin, copy)
    return folder


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MotoServer]:
    with moto_server(tmp_path_factory.mktemp("moto")) as server:
        yield server


@pytest.fixture(scope="session")
def account_numbers() -> Iterator[int]:
    """Yield numbers of accounts that nobody has used."""
    return itertools.count(100000000001)


@pytest.fixture(scope="module")
def drive(
    pulumi: Path, moto: MotoServer, account_numbers: Iterator[int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Drive]:
    """Return a maker of stacks, each with a cloud and an account of its own."""
    with pytest.MonkeyPatch.context() as patch, ExitStack() as clouds:
        # The inline program runs in this process: nobody's cluster or account may be reached from it.
        for name in [name for name in os.environ if name.startswith(("AWS_", "PULUMI_"))]:
            patch.delenv(name)
        patch.setenv("KUBECONFIG", os.devnull)
        patch.setenv("PULUMI_ERROR_OUTPUT_STRING", "true")
        patch.chdir(build_context(tmp_path_factory.mktemp("context")))

        def make(
            name: str, program: Callable[[], None] = whole_program, kubernetes: KubernetesDouble | None = None
        ) -> DrivenStack:
            account = Account(
                address=moto.address,
                number=str(next(account_numbers)),
                region=REGION,
                certificates=str(moto.certificates),
            )
            cloud = clouds.enter_context(Cloud.served(account, kubernetes))
            return DrivenStack.create(name, program, cloud=cloud, tools=pulumi, home=tmp_path_factory.mktemp(name))

        yield make
