"""The issue log over three days: deliveries through the loader, builds through dbt, lists for the agencies."""

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import dbt_fixture
import openpyxl
import pyarrow as pa
import pytest

from khochung import contract, landing, load, transform, warehouse
from khochung.extract import Delivery, Window, text_schema
from khochung.ops import agency_lists
from khochung.settings import Settings
from tests.toy_warehouse import running

MODELS = ["stg_loader__refused", "issue_found", "issue", *(
    f"base_{name}" for name in ("population__resident", "population__event", "business__enterprise_event")
)]  # fmt: skip
Row = dict[str, str | None]
Issue = tuple[Any, ...]


@dataclass
class Province:
    """The hand-made province, and what its issue log said after each build."""

    settings: Settings
    logs: list[dict[tuple[str, str], Issue]] = field(default_factory=list)

    def query(self, statement: str, role: warehouse.Role = "transformer") -> list[tuple[Any, ...]]:
        with warehouse.connect(self.settings, role) as connection:
            return connection.execute(statement).fetchall()  # type: ignore[arg-type]

    def deliver(self, table: str, rows: list[Row], day: int, origin: str = "thing", whole: bool = False) -> None:
        """Land and load rows on September `day` 2025; a cursor table is read from that day's start, or `whole`."""
        declared = contract.source(table.split(".")[0]).table(table.split(".")[1])
        schema, start = text_schema(declared), datetime(2025, 8, 31, tzinfo=UTC) + timedelta(days=day)
        batch = pa.RecordBatch.from_pylist([dict.fromkeys(schema.names) | row for row in rows], schema)
        windowed = declared.load == "cursor" and not whole
        window = Window(date(2025, 9, day), start if windowed else None, start + timedelta(days=1))
        path = landing.write(self.settings, declared, window, Delivery(schema, iter([batch]), origin))
        assert load.load(self.settings, path) is not None

    def build(self, *arguments: str) -> None:
        build = transform.begin(self.settings)
        day = build.as_of.isoformat()
        assert dbt_fixture.run(self.settings, *arguments, as_of=day, build_id=build.build_id) == 0
        transform.finish(self.settings, build.build_id)
        found = self.query(
            "select table_name, record_key, issue_code, masked_value, first_seen::text, open_since::text, closed_at::text "
            "from quality.issue"
        )
        self.logs.append({(f"{table}.{key}", code): tuple(rest) for table, key, code, *rest in found})


def event(number: str | None, changed_at: str, record: str = "DC001") -> Row:
    return {
        "event_id": number, "record_id": record, "event_type": "DEN", "event_date": "05/08/2025",
        "registered_at": "05/08/2025", "to_commune": dbt_fixture.PRESENT_WARD, "updated_at": changed_at,
    }  # fmt: skip


def registration(number: str | None) -> Row:
    return {
        "event_no": number, "enterprise_code": "1100000012", "event_type": "DKM", "event_date": "05/08/2025",
        "place_id": "p2", "capital_vnd": "1.000",
    }  # fmt: skip


def resident(birth_date: str) -> Callable[[Province], None]:
    """DC043 writes this date of birth from now on."""

    def change(province: Province) -> None:
        sent = f"update raw.population__resident set birth_date = '{birth_date}' where record_id = 'DC043' returning 1"
        assert province.query(sent, "loader") == [(1,)]

    return change


def first_day(province: Province) -> None:
    """A time that is none, a key that is none, a key twice: by cursor, and in a file."""
    sent = [
        event("TIME", "2025-09-32"), event("TWICE", "2025-09-01 09:00+07"), event("TWICE", "2025-09-01 09:00+07", "DC002"),
        event("STAYS", "2025-09-31"), event(None, "2025-09-02 09:00+07"), event(None, "2025-09-01 09:00+07", "DC003"),
    ]  # fmt: skip
    province.deliver("population.event", sent, 1, whole=True)
    file = [registration("1"), registration("2"), registration("2"), registration(None)]
    province.deliver("business.enterprise_event", file, 1, "bien_dong_202508.csv")
    province.build("build", "--select", "+issue", "--exclude-resource-type", "unit_test")


def second_day(province: Province) -> None:
    """TIME is mended; the window holds what lay in it once and with its key; the file comes again, its double gone."""
    sent = [event("TIME", "2025-09-02 10:00+07"), event("TWICE", "2025-09-02 09:00+07", "DC002")]
    province.deliver("population.event", sent, 2)
    file = [registration("1"), registration("2"), registration(None)]
    province.deliver("business.enterprise_event", file, 2, "bien_dong_202508.csv")
    resident("15/06/1990")(province)
    province.build("run", "--select", *MODELS)


def third_day(province: Province) -> None:
    """DC043 is wrong again, and nothing else has happened."""
    resident("00/00/1990")(province)
    province.deliver("population.event", [event("NEW", "2025-09-03 10:00+07")], 3)
    province.build("run", "--select", *MODELS)


@pytest.fixture(scope="module")
def province(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    made = Province(Settings(tmp_path_factory.mktemp("log")))
    with running(made.settings):
        dbt_fixture.fill(made.settings)
        for day in (first_day, second_day, third_day):
            day(made)
        agency_lists.write(made.settings, date(2025, 9, 3))
        yield made


def keyless(issues: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Names of issues, sorted; of a row without a key without the hash that tells it from others."""
    return sorted((name.split("#")[0], code) for name, code in issues)


def closed(province: Province, day: int) -> list[tuple[str, str]]:
    """What the build of that day closed."""
    return keyless(issue for issue, told in province.logs[day - 1].items() if told[-1] == f"2025-09-{day:02}")


def test_refused_rows_are_issues_with_what_may_be_seen_of_them(province: Province) -> None:
    log = province.logs[0]
    refused = {issue: told[0] for issue, told in log.items() if issue[1].startswith(("KEY", "TYPE"))}
    assert keyless(refused) == sorted([
        ("event.TIME", "TYPE_MISMATCH"), ("event.STAYS", "TYPE_MISMATCH"), ("event.TWICE", "KEY_DUPLICATE_CONFLICT"),
        ("event.", "KEY_MISSING"), ("event.", "KEY_MISSING"),
        ("enterprise_event.2", "KEY_DUPLICATE_EXACT"), ("enterprise_event.", "KEY_MISSING"),
    ])  # fmt: skip
    assert refused["event.TIME", "TYPE_MISMATCH"] == "2025-09-32"
    (shown,) = (told for (name, _), told in refused.items() if name.startswith("enterprise_event.#"))
    assert shown.startswith("capital_vnd=1.000; enterprise_code=1100000012; event_date=05/08/2025"), shown


def test_a_correction_closes_a_refusal_however_the_source_is_read(province: Province) -> None:
    assert closed(province, 2) == [
        ("enterprise_event.2", "KEY_DUPLICATE_EXACT"),  # the same file again: the row that was kept has not changed
        ("event.", "KEY_MISSING"),  # its window was read again, and everything had its key
        ("event.TIME", "TYPE_MISMATCH"),  # a good row under its key, though its time said nothing
        ("event.TWICE", "KEY_DUPLICATE_CONFLICT"),
        ("resident.DC043", "DATE_MALFORMED"),
    ]
    still = keyless(issue for issue, told in province.logs[2].items() if told[-1] is None)
    assert set(still) >= {
        ("event.STAYS", "TYPE_MISMATCH"),  # nobody has sent it since
        ("event.", "KEY_MISSING"),  # the other lies before every later window
        ("enterprise_event.", "KEY_MISSING"),  # sent again
    }


def test_an_issue_that_comes_back_is_young_and_keeps_its_first_day(province: Province) -> None:
    told = [log["resident.DC043", "DATE_MALFORMED"][1:] for log in province.logs]
    assert told == [
        ("2025-09-01", "2025-09-01", None),
        ("2025-09-01", "2025-09-01", "2025-09-02"),
        ("2025-09-01", "2025-09-03", None),
    ]


def test_the_trend_adds_up(province: Province) -> None:
    rows = province.query(
        "select build_id, source_name, table_name, issue_code, open, opened, closed from ops.issue_trend", "operator"
    )
    by_build: list[dict[Any, tuple[int, int, int]]] = [
        {tuple(kind): tuple(counts) for build, *kind, counts in ((r[0], *r[1:4], r[4:]) for r in rows) if build == number}
        for number in (1, 2, 3)
    ]  # fmt: skip
    assert sum(count for count, _, _ in by_build[0].values()) == len(province.logs[0])
    for before, after in pairwise(by_build):
        for kind in before.keys() | after.keys():
            now, opened, gone = after.get(kind, (0, 0, 0))
            assert now == before.get(kind, (0, 0, 0))[0] + opened - gone, kind
    born = ("population", "resident", "DATE_MALFORMED")
    assert [build.get(born) for build in by_build] == [(1, 1, 0), (0, 0, 1), (1, 1, 0)]


def test_the_trend_of_a_build_is_written_once(province: Province) -> None:
    before = sorted(province.query("select * from ops.issue_trend"))
    assert dbt_fixture.run(province.settings, "run", "--select", "issue", as_of="2025-09-03", build_id=3) == 0
    assert sorted(province.query("select * from ops.issue_trend")) == before


def test_an_earlier_issue_log_is_taken_over(province: Province) -> None:
    trend = sorted(province.query("select * from ops.issue_trend"))
    with warehouse.connect(province.settings, "transformer") as connection:
        connection.execute("alter table quality.issue drop column open_since, drop column opened_build_id")
    assert dbt_fixture.run(province.settings, "run", "--select", "issue", as_of="2025-09-03", build_id=0) == 0
    assert province.query(
        "select count(*) > 0, count(*) filter (where open_since <> first_seen) from quality.issue where closed_at is null"
    ) == [(True, 0)]
    assert sorted(province.query("select * from ops.issue_trend")) == trend, "a build by hand leaves no trace"


def lists(province: Province) -> dict[str, list[list[str]]]:
    """The cells of every list, CSV and XLSX, by agency."""
    found: dict[str, list[list[str]]] = {}
    for agency, slug in agency_lists.slugs({s.owner_agency for s in contract.sources().values()}).items():
        stem = province.settings.internal / "agencies" / slug / agency_lists.NAME
        with stem.with_suffix(".csv").open(encoding="utf-8-sig", newline="") as stream:
            found[agency] = list(csv.reader(stream))[1:]
        page: Any = openpyxl.load_workbook(stem.with_suffix(".xlsx")).active
        found[agency] += [[str(cell.value or "") for cell in row] for row in page.iter_rows(min_row=2)]
    return found


def test_the_lists_together_are_the_log_and_each_is_its_agencys(province: Province) -> None:
    found = lists(province)
    assert sum(map(len, found.values())) == 2 * sum(told[-1] is None for told in province.logs[2].values())
    for source in contract.sources().values():
        titles = {other.title_vi for other in contract.sources().values() if other.owner_agency == source.owner_agency}
        assert {row[0].split(" (")[0] for row in found[source.owner_agency]} <= titles
    assert all(len(found[agency]) > 0 for agency in ("Công an tỉnh", "Sở Tài chính", "Văn phòng UBND tỉnh"))


def private(province: Province) -> set[str]:
    """Every identifying or sensitive value that any source has sent."""
    found = set()
    for source in contract.sources().values():
        for table in source.tables:
            for name in (column.name for column in table.columns if column.privacy in ("identifier", "sensitive")):
                found |= set(province.query(f"select {name}::text from raw.{table.relation} where {name} is not null"))
    return {value for (value,) in found}


def test_no_list_shows_what_identifies(province: Province) -> None:
    hidden = private(province)
    assert {"8009000040", "80090000041", "0901234567", "Ðặng", "00/00/1990", "Võ An"} <= hidden
    shown = {cell for rows in lists(province).values() for row in rows for cell in row}
    assert "11 ký tự" in shown
    assert not shown & hidden
    text = "\n".join(shown)
    assert [value for value in hidden if len(value) >= 5 and value in text] == []


def test_no_list_is_public(province: Province) -> None:
    internal: Path = province.settings.internal
    assert not internal.is_relative_to(province.settings.public)
    assert not internal.is_relative_to(province.settings.releases)
