"""The trees are what the promises speak of, and the same for everybody."""

import ast
from collections import Counter
from pathlib import Path

from benchmarks.tree import forget_bytecode, make_tree


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*.py")}


def test_the_same_seed_makes_the_same_bytes(tmp_path: Path) -> None:
    first, second, other = tmp_path / "a", tmp_path / "b", tmp_path / "c"
    make_tree(first, 100)
    make_tree(second, 100)
    make_tree(other, 100, seed=21)
    assert contents(first) == contents(second) != contents(other)


def test_five_percent_lack_a_dependency_and_one_percent_does_not_compile(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree", 200)
    sources = [path.read_text() for path in tree.root.glob("*/jobs/load_*.py")]
    broken = [source for source in sources if not compiles(source)]
    assert len(sources) == 200
    assert (len(broken), tree.broken) == (2, 2)
    assert (sum("import absent_" in source for source in sources), tree.missing) == (10, 10)
    assert not any("import absent_" in source for source in broken), "each job is lost for one reason"


def test_a_healthy_tree_has_neither(tmp_path: Path) -> None:
    sources = [path.read_text() for path in make_tree(tmp_path / "tree", 100, healthy=True).root.glob("*/jobs/load_*.py")]
    assert all(compiles(source) for source in sources)
    assert not any("import absent_" in source for source in sources)


def test_unlike_jobs_have_no_function_in_common(tmp_path: Path) -> None:
    alike, unlike = make_tree(tmp_path / "alike", 100), make_tree(tmp_path / "unlike", 100, alike=False)
    assert max(functions(alike.root).values()) > 50
    assert set(functions(unlike.root).values()) == {1}


def test_a_cold_round_starts_without_bytecode_and_with_all_sources(tmp_path: Path) -> None:
    root = make_tree(tmp_path / "tree", 40).root
    before = contents(root)
    for folder in ("team_0000", "team_0001/jobs"):
        (root / folder / "__pycache__").mkdir()
        (root / folder / "__pycache__" / "x.pyc").touch()
    forget_bytecode(root)
    assert not list(root.rglob("__pycache__"))
    assert contents(root) == before


def functions(root: Path) -> Counter[str]:
    """Return how often each function is found below a folder."""
    modules = [ast.parse(source) for source in contents(root).values() if compiles(source.decode())]
    return Counter(ast.dump(each) for module in modules for each in module.body if isinstance(each, ast.FunctionDef))


def compiles(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True
