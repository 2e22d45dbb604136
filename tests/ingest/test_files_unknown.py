"""What stands in columns that the contract does not know is kept, and filled in when it does."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from khochung import ingest
from khochung.replay import replay
from tests.ingest.test_files import book, drop
from tests.ingest.toy_source import Lab

CSV = 'ma;bỏ;;ten\n1;"x ""y""\nz";?;a\n2;;;b\n'
JSON = '{"ma": "1", "ten": "a", "bỏ": "x \\"y\\"\\nz", "in": {"n": 1.50}}\n{"ma": "2", "ten": "b"}\n'
FORMS: dict[str, dict[str, Any]] = {
    "csv": {"kind": "csv", "delimiter": ";"},
    "csv-exact": {"kind": "csv", "delimiter": ";", "total_row": "Tổng"},
    "xlsx": {"kind": "xlsx"},
    "jsonl": {"kind": "jsonl"},
}


def write(folder: Path, kind: str) -> None:
    if kind == "xlsx":
        book(folder, "ds_20250901.xlsx", ["ma", "bỏ", None, "ten"], ["1", 'x "y"\nz', "?", "a"], ["2", None, None, "b"])
    else:
        drop(folder, f"ds_20250901.{kind}", JSON if kind == "jsonl" else CSV)


@pytest.mark.parametrize("case", FORMS)
def test_a_column_that_is_declared_later(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    form = FORMS[case]
    table = lab.table({"ma": "text", "ten": "text"}, path="ds_*", format=form)
    source = lab.contracts[table.source].model_copy(update={"connector": "files"})
    monkeypatch.setenv(f"KHOCHUNG_SOURCE_{table.source.upper()}_FOLDER", str(tmp_path))
    write(tmp_path, form["kind"])
    list(ingest.ingest_table(lab.settings, source, table, date(2025, 9, 1)))
    assert lab.rows(table) == [("1", "a", False), ("2", "b", False)]
    [(unknown,)] = lab.query("select unknown_fields from ops.load where source_name = %s", table.source)
    assert unknown == (["bỏ", "in"] if case == "jsonl" else ["bỏ"])
    columns = [column.model_dump() for column in table.columns]
    later = [columns[1] | {"name": "kept", "path": "bỏ"}]
    later += [columns[1] | {"name": "n", "path": "in.n"}] if case == "jsonl" else []
    wider = lab.declare(table, columns=[*columns, *later])
    for path in tmp_path.iterdir():
        path.unlink()
    list(replay(lab.settings, wider))
    values = [row[2:-1] for row in lab.rows(wider)]
    assert values[0] == ('x "y"\nz', *(["1.50"] if case == "jsonl" else []))
    assert set(values[1]) == {None}
