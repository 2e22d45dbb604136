"""Error lists: every agency its own rows, harmless in a spreadsheet, closed to everybody else, replaced whole."""

import csv
import stat
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import psycopg
import pytest

from khochung import contract, postgres, warehouse
from khochung.ops import agency_lists
from khochung.settings import Settings
from tests.ops.issue_log import fill

AS_OF = date(2025, 9, 30)
LAND, POLICE = "so-nong-nghiep-va-moi-truong", "cong-an-tinh"
OWNERS = {source.owner_agency for source in contract.sources().values()}


@pytest.fixture
def settings(server: Settings, tmp_path: Path) -> Settings:
    return Settings(tmp_path / "home", postgres.admin_dsn(server, warehouse.DATABASE))


def file(settings: Settings, agency: str, suffix: str = ".csv") -> Path:
    return settings.internal / "agencies" / agency / f"loi-du-lieu{suffix}"


def rows(settings: Settings, agency: str) -> list[dict[str, str]]:
    with file(settings, agency).open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def sheet(settings: Settings, agency: str) -> Any:
    return openpyxl.load_workbook(file(settings, agency, ".xlsx")).active


def cells(settings: Settings, agency: str) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in sheet(settings, agency).iter_rows()]


def test_a_row_says_what_is_wrong_where_since_when_and_what_to_do(settings: Settings) -> None:
    fill(
        settings, [{"record_key": "k", "masked_value": "99999", "first_seen": "2025-08-01", "open_since": "2025-09-10"}]
    )
    assert agency_lists.write(settings, AS_OF)["Sở Nông nghiệp và Môi trường"] == 1
    expected = [
        "Đất đai (land)", "parcel", "k", "xa_id (xa_id)", "CODE_UNKNOWN", "cảnh báo / warning", "99999",
        "Mã lạ / Unknown code", "Sửa mã / Correct the code", "2025-08-01", "2025-09-10", "20",
    ]  # fmt: skip
    assert [list(row.values()) for row in rows(settings, LAND)] == [expected]
    heading, row = cells(settings, LAND)
    assert heading == list(agency_lists.COLUMNS) == list(rows(settings, LAND)[0])
    assert row == [*expected[:9], datetime(2025, 8, 1), datetime(2025, 9, 10), 20]


def test_a_field_is_named_as_its_source_names_it(settings: Settings) -> None:
    fill(
        settings,
        [
            {"source_name": "population", "table_name": "resident", "field": "personal_id", "agency": "Công an tỉnh"},
            {"source_name": "population", "table_name": "resident", "field": None, "agency": "Công an tỉnh"},
        ],
    )
    agency_lists.write(settings, AS_OF)
    named = [row["Trường tại nguồn / Field at the source"] for row in rows(settings, POLICE)]
    assert named == ["SoDinhDanh (personal_id)", ""]


def test_an_agency_sees_its_own_open_issues_and_nothing_else(settings: Settings) -> None:
    fill(
        settings,
        [
            {"record_key": "land 1"},
            {"record_key": "land, closed", "closed_at": "2025-09-20"},
            {"record_key": "police 1", "source_name": "population", "agency": "Công an tỉnh"},
            {"record_key": "land 2", "severity": "critical"},
        ],
    )
    counts = agency_lists.write(settings, AS_OF)
    assert counts == dict.fromkeys(OWNERS, 0) | {"Công an tỉnh": 1, "Sở Nông nghiệp và Môi trường": 2}
    for agency, expected in ((LAND, ["land 2", "land 1"]), (POLICE, ["police 1"])):
        assert [row["Khóa bản ghi / Record key"] for row in rows(settings, agency)] == expected
        assert [row[2] for row in cells(settings, agency)[1:]] == expected


def test_nobody_else_may_read(settings: Settings) -> None:
    settings.internal.mkdir(parents=True, mode=0o755)
    fill(settings, [{"record_key": "k"}])
    agency_lists.write(settings, AS_OF)
    found = {path: stat.S_IMODE(path.stat().st_mode) for path in [settings.internal, *settings.internal.rglob("*")]}
    assert {mode for path, mode in found.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in found.items() if path.is_file()} == {0o600}
    assert not settings.internal.is_relative_to(settings.public)


DANGEROUS = ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\r=1", "x;=1+1", "a,\t-2", "＝1", "=cmd|'/c calc'!A0"]


@pytest.mark.parametrize("text", DANGEROUS)
def test_no_cell_is_a_formula(settings: Settings, text: str) -> None:
    fill(settings, [{"record_key": text, "masked_value": text}])
    agency_lists.write(settings, AS_OF)
    (row,) = rows(settings, LAND)
    for cell in (row["Khóa bản ghi / Record key"], row["Giá trị (đã che) / Value (masked)"]):
        assert "'" in cell
        assert not any(part.strip().startswith(tuple("=+-@＝＋－＠")) for part in cell.replace(";", ",").split(","))
    for line in sheet(settings, LAND).iter_rows():
        assert all(cell.data_type != "f" for cell in line)
    assert cells(settings, LAND)[1][2] == row["Khóa bản ghi / Record key"]


def test_quotes_separators_and_lines_stay_in_their_cell(settings: Settings) -> None:
    text = 'a;b,"c"\x0b\nd\ufffe'
    fill(settings, [{"record_key": text}])
    agency_lists.write(settings, AS_OF)
    assert rows(settings, LAND)[0]["Khóa bản ghi / Record key"] == 'a;b,"c"  d '
    assert cells(settings, LAND)[1][2] == 'a;b,"c"  d '
    content = file(settings, LAND).read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\r\n") == 2, "one line per record"


def test_the_sheet_is_made_to_be_worked_with(settings: Settings) -> None:
    fill(settings, [{"record_key": "1"}, {"record_key": "2"}])
    agency_lists.write(settings, AS_OF)
    page = sheet(settings, LAND)
    assert (page.freeze_panes, page.auto_filter.ref) == ("A2", "A1:L3")
    assert all(page.column_dimensions[letter].width > 10 for letter in "ABCL")


def test_a_sheet_that_is_full_says_where_the_rest_is(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agency_lists, "XLSX_ROWS", 5)
    fill(settings, [{"record_key": str(number)} for number in range(7)])
    agency_lists.write(settings, AS_OF)
    assert [row["Khóa bản ghi / Record key"] for row in rows(settings, LAND)] == [str(number) for number in range(7)]
    found = cells(settings, LAND)
    assert [row[2] for row in found[1:-1]] == ["0", "1", "2"]
    assert "4 more issues: loi-du-lieu.csv beside this file has all 7" in found[-1][0]
    fill(settings, [{"record_key": str(number)} for number in range(3)])
    agency_lists.write(settings, AS_OF)
    assert len(cells(settings, LAND)) == 4, "a list that fits has no last word"


def test_an_agency_with_nothing_open_has_an_empty_list(settings: Settings) -> None:
    fill(settings, [{"record_key": "k"}])
    agency_lists.write(settings, AS_OF)
    fill(settings, [])
    agency_lists.write(settings, AS_OF)
    assert {folder.name for folder in (settings.internal / "agencies").iterdir()} == set(
        agency_lists.slugs(OWNERS).values()
    )
    assert rows(settings, LAND) == []
    assert cells(settings, LAND) == [list(agency_lists.COLUMNS)]


def test_what_is_left_of_others_is_removed(settings: Settings) -> None:
    fill(settings, [{"record_key": "k", "source_name": "retired", "agency": "Sở Cũ"}])
    agency_lists.write(settings, AS_OF)
    assert rows(settings, "so-cu")[0]["Hệ thống nguồn / Source"] == "retired"
    (settings.internal / "agencies" / ".partial-1").mkdir()
    fill(settings, [])
    agency_lists.write(settings, AS_OF)
    left = {path.name for path in (settings.internal / "agencies").iterdir()}
    assert left == set(agency_lists.slugs(OWNERS).values())


def test_a_list_that_fails_leaves_the_last_one(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(settings, [{"record_key": "k"}])
    agency_lists.write(settings, AS_OF)
    before = {path: path.read_bytes() for path in settings.internal.rglob("*.*")}
    fill(settings, [{"record_key": "k"}, {"record_key": "l", "masked_value": "boom"}])

    def harmless(value: str) -> str:
        if value == "boom":
            raise OSError("No space left on device")
        return value

    monkeypatch.setattr(agency_lists, "harmless", harmless)
    with pytest.raises(OSError, match="No space left"):
        agency_lists.write(settings, AS_OF)
    assert {path: path.read_bytes() for path in settings.internal.rglob("*.*")} == before


def test_names_that_differ_in_accents_only_have_folders_of_their_own() -> None:
    found = agency_lists.slugs(["UBND xã Tân Thành", "UBND xã Tân Thạnh", "Sở Đường bộ", "Sở Y tế"])
    assert found["Sở Đường bộ"] == "so-duong-bo"
    assert found["Sở Y tế"] == "so-y-te"
    twins = {found["UBND xã Tân Thành"], found["UBND xã Tân Thạnh"]}
    assert len(twins) == 2
    assert all(slug.startswith("ubnd-xa-tan-thanh-") for slug in twins)


def test_the_operator_reads_the_log_and_the_publisher_does_not(settings: Settings) -> None:
    fill(settings, [{"record_key": "k"}])
    for relation in ("quality.issue", "seeds.issue_code"):
        with warehouse.connect(settings, "operator") as connection:
            assert connection.execute(f"select count(*) > 0 from {relation}").fetchone() == (True,)  # type: ignore[arg-type]
        with (
            warehouse.connect(settings, "publisher") as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(f"select 1 from {relation}")  # type: ignore[arg-type]
