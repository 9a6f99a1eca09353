"""``watch_and_write.py ROOT OUT``: the least that noticing a change and writing a file can take.

Parses the changed job with ``ast`` and writes its source's last line into ``OUT/{package}_dags.py``.
"""

import ast
import sys
from pathlib import Path

import watchfiles


def main(root: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for package in root.iterdir():
        (out / f"{package.name}_dags.py").touch()
    for changes in watchfiles.watch(root, raise_interrupt=False):
        for _, name in changes:
            path = Path(name)
            if path.suffix != ".py" or not path.exists():
                continue
            source = path.read_text()
            ast.parse(source)
            target = out / f"{path.parent.parent.name}_dags.py"
            draft = target.with_suffix(".draft")
            draft.write_text(source.splitlines()[-1])
            draft.replace(target)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
