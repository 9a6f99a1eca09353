"""``trivial_program.py COUNT [SDK...]``: a Pulumi program of COUNT resources that say nothing, under mocks.

The provider SDKs named are imported first, as any program that uses them must.
"""

import importlib
import sys

import pulumi
from pulumi.runtime import mocks


class Answers(mocks.Mocks):
    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[object, object]]:
        return f"{args.name}-id", {}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[object, object], list[tuple[str, str]]]:
        raise AssertionError(f"{args.token}: the program looks nothing up")


def main(count: int, sdks: list[str]) -> None:
    for sdk in sdks:
        importlib.import_module(sdk)
    mocks.set_mocks(Answers(), project="trivial", stack="prod")

    @pulumi.runtime.test
    def program() -> None:
        for number in range(count):
            pulumi.CustomResource("trivial:index:Nothing", f"nothing-{number}", {"number": number})

    program()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
