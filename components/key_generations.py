"""A random key that is rotated: its generations, each made once and kept."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_random as random


@dataclass(frozen=True, kw_only=True)
class Generations:
    """Which generations of a key there are: those from ``oldest`` to ``newest`` are accepted."""

    current: int = 1
    """The one that encrypts or signs."""

    oldest: int = 1
    newest: int | None = None
    """``None`` is the current one."""

    def made(self) -> range:
        """Return every generation there ever was: one that is no longer accepted is kept, so that it can be taken back."""
        return range(1, (self.newest or self.current) + 1)

    def accepted(self) -> list[int]:
        """Return the generations that are accepted, the current one first, then the others from the newest on."""
        others = [number for number in reversed(self.made()) if self.oldest <= number != self.current]
        return [self.current, *others]


def random_keys(
    name: str, generations: Generations, *, length: int, opts: pulumi.ResourceOptions
) -> Mapping[int, random.RandomBytes]:
    """Make a key of ``length`` random bytes for each generation. The first has no number in its name."""
    return {
        number: random.RandomBytes(name if number == 1 else f"{name}-{number}", length=length, opts=opts)
        for number in generations.made()
    }
