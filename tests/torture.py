"""How much the suites that break things on purpose try: little in ``make test``, as much as is claimed in ``make torture``."""

import os

KILLS = int(os.environ.get("TORTURE", "30"))
"""How often each of them kills a process at a random instant."""

MUTANTS = 100 * KILLS
"""How many job files are mutated: bytes in one half of them, tokens in the other."""
