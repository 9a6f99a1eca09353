"""A missed target is said, and the README keeps what a run gave, where it belongs."""

from pathlib import Path

import pytest

from benchmarks import readme
from benchmarks.alternating import Sample
from benchmarks.cli import Name
from benchmarks.measuring import BenchmarkError, Cost
from benchmarks.report import Report, Table, Target, ratio, wall_ratio

TABLE = Table(title="Speed", columns=("", "CPU ms"), rows=(("a|b", "1"),))


@pytest.mark.parametrize(
    ("measured", "at_least", "says"),
    [(1.4, False, "met"), (1.5, False, "met"), (1.8, False, "missed by 20%"), (3, True, "met"), (1.2, True, "missed by 20%")],
)
def test_a_target_says_by_how_much_it_is_missed(measured: float, at_least: bool, says: str) -> None:
    assert Target(what="ratio", measured=measured, limit=1.5, at_least=at_least).row[-1] == says


def test_cpu_and_the_time_until_it_is_done_are_compared_apart() -> None:
    def sample(cpu: float, wall: float) -> Sample:
        return Sample(costs=[Cost(cpu_seconds=cpu, wall_seconds=wall, peak_bytes=1, exit_code=0)])

    samples = {"many processes": sample(8, 2), "one": sample(4, 4)}
    assert ratio(samples, "one", "many processes") == 0.5
    assert wall_ratio(samples, "one", "many processes") == 2


def test_writing_one_section_leaves_the_rest_of_the_readme(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text(
        "# Top\n<!-- begin parse -->\nold\n<!-- end parse -->\nbetween\n<!-- begin watch -->\nkept\n<!-- end watch -->\n"
    )
    report = Report(name="parse", tables=(TABLE,), targets=(Target(what="t", measured=1, limit=2),), notes=("A note.",))
    for _ in range(2):
        readme.write(report, "python -m benchmarks parse", ["busy"], path)
    text = path.read_text()
    assert text.startswith("# Top\n<!-- begin parse -->\n\n`python -m benchmarks parse`\n\n- busy\n\n**Speed**")
    assert text.endswith("A note.\n\n<!-- end parse -->\nbetween\n<!-- begin watch -->\nkept\n<!-- end watch -->\n")
    assert "| a\\|b | 1 |" in text
    assert "| t | 1 x | at most 2 x | met |" in text
    assert "old" not in text
    assert list(tmp_path.iterdir()) == [path]


def test_a_readme_without_the_section_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_text("nothing here\n")
    with pytest.raises(BenchmarkError, match="one section between <!-- begin parse -->"):
        readme.write(Report(name="parse", tables=(TABLE,)), "command", [], path)
    assert path.read_text() == "nothing here\n"


@pytest.mark.parametrize("name", Name)
def test_the_readme_has_a_section_for_every_benchmark(name: Name) -> None:
    assert "new" in readme.replaced(readme.README.read_text(), name, "new")
