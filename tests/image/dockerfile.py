"""Reads a Dockerfile into stages of instructions; knows what these tests ask, not the whole grammar."""

import re
import shlex
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Instruction:
    keyword: str
    """Upper case: ``COPY``, ``RUN``."""

    text: str
    """What follows, continuation lines joined by a blank."""

    @property
    def words(self) -> list[str]:
        """The operands, without ``--flags``."""
        return [word for word in shlex.split(self.text) if not word.startswith("--")]


@dataclass
class Stage:
    base: str
    name: str
    instructions: list[Instruction] = field(default_factory=list[Instruction])

    def of(self, keyword: str) -> list[Instruction]:
        return [instruction for instruction in self.instructions if instruction.keyword == keyword]


def parse(text: str) -> tuple[dict[str, str], list[Stage]]:
    """Return the arguments before the first ``FROM``, with their defaults, and the stages in order."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    arguments: dict[str, str] = {}
    stages: list[Stage] = []
    for line in re.sub(r"\\\n\s*", " ", lines).splitlines():
        keyword, _, rest = line.strip().partition(" ")
        if keyword == "FROM":
            base, _, name = rest.partition(" AS ")
            stages.append(Stage(base, name))
        elif keyword and stages:
            stages[-1].instructions.append(Instruction(keyword, rest))
        elif keyword:
            name, _, default = rest.partition("=")
            arguments[name] = default
    return arguments, stages
