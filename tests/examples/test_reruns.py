"""Running again is safe: the same input changes nothing, new input changes only what it touches."""

import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tests.examples.conftest import IN_ORDER, PACKAGES, Run, run_in

EXPORT = PACKAGES / "sales" / "data" / "orders.csv"


def contents(data_dir: Path) -> dict[str, object]:
    """Every file's bytes, and of the warehouse what it holds, by name."""
    files: dict[str, object] = {
        str(path.relative_to(data_dir)): path.read_bytes()
        for path in sorted(data_dir.rglob("*"))
        if path.is_file() and path.name != "warehouse.db"
    }
    with closing(sqlite3.connect(data_dir / "warehouse.db")) as connection:
        return files | {"warehouse.db": sorted(connection.iterdump())}


@pytest.fixture
def copy(worked: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(worked, tmp_path, dirs_exist_ok=True))


@pytest.mark.parametrize("command", IN_ORDER)
def test_a_second_run_changes_nothing(command: str, copy: Path, run: Run) -> None:
    before = contents(copy)
    assert run(command).returncode == 0
    assert contents(copy) == before


def test_a_changed_order_recomputes_its_customer_only(copy: Path, run: Run) -> None:
    header, first, *rest = EXPORT.read_text().splitlines(keepends=True)
    assert first.startswith("O-00001,")
    assert ",C-0318,DE,EUR,KET-BL,1,7.64,shipped" in first
    (copy / "corrected.csv").write_text(header + first.replace("KET-BL,1,", "KET-BL,3,") + "".join(rest))
    assert "1 new or changed" in run("sales.load_orders --source corrected.csv").stderr
    assert run("finance.convert_orders").returncode == 0
    before = customers(copy)
    assert "watermark 1 to 2: 1 customers recomputed" in run("customers.update_customers").stderr
    after = customers(copy)
    assert {customer for customer in after if after[customer] != before[customer]} == {"C-0318"}
    assert after["C-0318"] - before["C-0318"] == 2 * 764


def test_orders_loaded_in_two_parts_end_as_if_loaded_at_once(run: Run, tmp_path: Path, worked: Path) -> None:
    for part in ("--limit 1500", ""):
        for command in (f"sales.load_orders {part}", "finance.convert_orders", "customers.update_customers"):
            assert run(command).returncode == 0
    assert customers(tmp_path) == customers(worked)


def test_products_the_supplier_dropped_are_marked_unless_told_not_to(copy: Path, run: Run) -> None:
    fetched = copy / "raw" / "products.jsonl"
    fetched.write_text("".join(fetched.read_text().splitlines(keepends=True)[1:]))
    assert "23 products loaded, 0 no longer listed" in run("catalog.load_products --keep-listed").stderr
    assert "23 products loaded, 1 no longer listed" in run("catalog.load_products").stderr


def test_jobs_started_together_wait_for_each_other(tmp_path: Path, worked: Path) -> None:
    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(run_in, [tmp_path] * 6, ["sales.load_orders"] * 6))
    assert [process.returncode for process in done] == [0] * 6, done
    assert sum(", 3000 new or changed" in process.stderr for process in done) == 1
    orders = "SELECT * FROM orders ORDER BY order_id"
    with closing(sqlite3.connect(tmp_path / "warehouse.db")) as one, closing(sqlite3.connect(worked / "warehouse.db")) as other:
        assert one.execute(orders).fetchall() == other.execute(orders).fetchall()


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "report.csv").write_text("old")
    program = (
        "import sys; from pathlib import Path; from etl_core.files import replacing\n"
        "with replacing(Path(sys.argv[1])) as file: file.write(b'half'); file.flush(); raise KeyboardInterrupt"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "report.csv")],
        env={"PYTHONPATH": str(PACKAGES), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        timeout=60,
    )
    assert b"KeyboardInterrupt" in done.stderr
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"report.csv": "old"}


def customers(data_dir: Path) -> dict[str, int]:
    with closing(sqlite3.connect(data_dir / "warehouse.db")) as connection:
        return dict(connection.execute("SELECT customer_id, spent_cents FROM customers").fetchall())
