"""A hand-made province: the real list of communes, and a few records of every source, each there for a reason."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from fixture_documents import documents, signatures
from fixture_hotline import hotline
from fixture_services import identity, payments
from psycopg import sql
from psycopg.types.json import Jsonb

from khochung import contract, location, raw, transform, warehouse
from khochung.settings import REPOSITORY, Settings
from simulator import units as simulated_units
from simulator.columns import day_number
from simulator.world import procedures as simulated_procedures
from tests.toy_warehouse import running

Row = dict[str, Any]
UNITS = REPOSITORY / "simulator" / "data" / "80"
REVIEWED = REPOSITORY / "reviewed" / "indicator"
AS_OF = "2025-09-30"
OLD_WARD, PRESENT_WARD = (
    "27694",
    "27694",
)  # Phường 1 until 30/6/2025, Phường Long An since: one code, two communes
SPLIT = "28063"  # Bình Thạnh, divided between Thủ Thừa and Phường Long An
AGENCY, PROCEDURE = "H39.12", "1.001193"
DISTRICT, PRESENT_CENTRE = "H39.31", "H53.137"  # Tân An until 30/6/2025; Phường Long An since
OWNED, ORPHAN = UUID(int=1), UUID(int=99)


def admin() -> Iterator[tuple[str, Row]]:
    """The reviewed lists of communes and of their changes."""
    for table, file in (("unit", "units.csv"), ("unit_change", "unit_change.csv")):
        columns = {column.path: column.name for column in contract.source("admin").table(table).columns}
        with (UNITS / file).open(encoding="utf-8", newline="") as handle:
            for row in csv.DictReader(handle):
                yield table, {columns[path]: value or None for path, value in row.items()}


def resident(number: int, **changes: Any) -> tuple[str, Row]:
    """A sound resident of Phường 1, a man born in 1990, since 2019."""
    row = {
        "record_id": f"DC{number:03}", "personal_id": f"0800900{number:05}", "surname": "Võ", "given_name": f"Tên {number}",
        "sex_code": "1", "birth_year": "1990", "birth_date": "15/06/1990", "permanent_district": "794",
        "permanent_commune": OLD_WARD, "permanent_since": "05/03/2019", "current_district": "0",
        "current_commune": PRESENT_WARD, "phone": "0901234567", "status_code": "1", "updated_at": "2025-08-01 09:00+07",
    }  # fmt: skip
    return "resident", row | changes


def population() -> Iterator[tuple[str, Row]]:
    """Twelve neighbours, nine women, and one person per rule."""
    yield from (resident(number) for number in range(1, 13))
    women = {"sex_code": "2", "birth_year": "1990"}
    yield from (resident(number, **women, personal_id=f"0801900{number:05}") for number in range(21, 30))
    yield resident(40, personal_id="8009000040", birth_date=None)  # ten digits: not recoverable
    yield resident(41, personal_id="80090000041")  # the zero was lost
    yield resident(42, permanent_commune="99999")  # quarantined
    yield resident(43, surname="\u00d0ặng", birth_date="00/00/1990")
    baby = {"personal_id": None, "birth_date": "10/08/2025", "birth_year": "2025", "permanent_district": "0"}
    yield resident(44, **baby, permanent_since="12/08/2025")
    yield event(1, "DC044", "KS", "10/08/2025", to_commune=PRESENT_WARD)
    yield resident(45, status_code="2")
    yield event(2, "DC045", "KT", "20/08/2025", to_commune=PRESENT_WARD)
    yield event(3, "DC999", "KT", "20/08/2025", to_commune=PRESENT_WARD)  # nobody


def event(number: int, record: str, kind: str, day: str, **places: str) -> tuple[str, Row]:
    """A population event, registered on its day."""
    row = {
        "event_id": f"BD{number}",
        "record_id": record,
        "event_type": kind,
        "event_date": day,
        "registered_at": day,
    }
    return "event", row | {"updated_at": "2025-09-01 09:00+07"} | places


def procedures() -> Iterator[tuple[str, Row]]:
    """Every agency over time and one without an end; one procedure, twenty dossiers of August 2025 of which eleven are
    settled, ten in time; three of June 2025 in the hands of agencies that ended, of which one was never handed over."""
    listed = simulated_procedures.agencies(simulated_units.load())
    for row in simulated_procedures.AgencyTable(listed).records(day_number(AS_OF)):
        if row["agency_code"] != AGENCY:
            yield "agency", row
    yield (
        "agency",
        {"agency_code": AGENCY, "agency_name": "Sở Nội vụ", "level_code": "TINH", "valid_from": "2021-01-01"},
    )
    yield "procedure", {
        "procedure_code": f"{PROCEDURE}.000.00.00.H39", "procedure_name": "Khai sinh", "field_code": "G09-TP",
        "field_name": "Hộ tịch", "level_code": "XA", "service_level": "TT", "time_limit": "3", "time_unit": "NLV",
        "paper_result": "0", "effective_from": "01/01/2021",
    }  # fmt: skip
    for number in range(1, 21):
        finished = "20250808160000" if number == 11 else "20250806160000" if number < 11 else None
        yield dossier(number, finished_at=finished, status_code="10" if finished else "4")
    yield dossier(21, agency_code="H99.1")
    yield dossier(22, received_at="20250000000000")
    june = {"submitted_at": "20250625080000", "received_at": "20250625090000", "due_at": "20250704170000"}
    for number, (district, successor) in enumerate(
        [(DISTRICT, "H53.6"), (DISTRICT, PRESENT_CENTRE), (DISTRICT, DISTRICT)]
    ):
        yield dossier(
            number, **june, dossier_code=f"{district}-250625-{number:04}", reception_agency_code=district,
            agency_code=successor, finished_at=None if successor == district else "20250703160000",
            status_code="4" if successor == district else "10",
        )  # fmt: skip


def dossier(number: int, **changes: Any) -> tuple[str, Row]:
    """A dossier received online on 4 August 2025, due on the 7th."""
    row = {
        "dossier_code": f"{AGENCY}-20250804-{number:07}", "procedure_code": PROCEDURE, "agency_code": AGENCY,
        "channel_code": "2", "applicant_name": "Võ An", "applicant_type": "1", "applicant_id": "080090000001",
        "submitted_at": "20250804080000", "received_at": "20250804090000", "due_at": "20250807170000",
        "status_code": "4", "fees": Jsonb([]), "supplements": Jsonb([]), "updated_at": "2025-08-08 17:00+07",
    }  # fmt: skip
    return "dossier", row | changes


def land() -> Iterator[tuple[str, Row]]:
    """A parcel with swapped axes and two uses, one of a superseded type; a use of a parcel that does not exist."""
    yield "parcel", {
        "thua_dat_id": OWNED, "xa_id": SPLIT, "so_to": 1, "so_thua": 2, "dien_tich": 1500, "dien_tich_phap_ly": "1.500,0",
        "trang_thai": 1, "x_north": 571488.11, "y_east": 1166495.05, "kinh_tuyen_truc": "105-45",
        "thoi_diem_khoi_tao": "2015-01-01", "thoi_diem_cap_nhat": "2020-01-01",
    }  # fmt: skip
    for number, (parcel, kind, area) in enumerate([(OWNED, "ONT", 300), (OWNED, "LNK", 1200), (ORPHAN, "ONT", 5)]):
        yield "parcel_use", {
            "muc_dich_id": UUID(int=10 + number), "thua_dat_id": parcel, "so_thu_tu": 1, "loai_dat": kind, "dien_tich": area,
            "thoi_han": "Lâu dài", "thoi_diem_cap_nhat": "2020-01-01",
        }  # fmt: skip
    yield "land_right", {
        "quyen_id": UUID(int=20), "thua_dat_id": OWNED, "loai_chu": "CN", "ten_chu": "Võ An", "so_dinh_danh": "301234567",
        "nam_sinh": "1960", "so_phat_hanh": "AD 266864", "ngay_cap": "05/03/2015", "thoi_diem_cap_nhat": "2020-01-01",
    }  # fmt: skip


def business() -> Iterator[tuple[str, Row]]:
    """Two enterprises, one dissolved in August 2025; a household business under its owner's number."""
    places = [("p1", OLD_WARD, "01/01/2004", "30/06/2025"), ("p2", PRESENT_WARD, "01/07/2025", None)]
    for place, code, first, last in places:
        yield "place", {"place_id": place, "commune_code": code, "valid_from": first, "valid_to": last}
    for code, status in (
        ("1100000012", "Đang hoạt động"),
        ("1100000037", "Đã giải thể, phá sản, chấm dứt tồn tại"),
    ):
        yield "enterprise", {
            "enterprise_code": code, "enterprise_name": "Công ty", "legal_form": "CTCP", "founded_on": "05032019",
            "amended_on": "15/08/2025", "status_name": status, "capital_vnd": "1.000.000.000", "main_industry": "111",
            "place_id": "p2", "representative_id": "080090000001",
        }  # fmt: skip
    yield "enterprise_event", {
        "event_no": "1", "enterprise_code": "1100000037", "event_type": "GT", "event_date": "15/08/2025", "place_id": "p2",
        "capital_vnd": "1.000.000.000",
    }  # fmt: skip
    yield "household_business", {
        "registration_no": "50A8000001", "business_code": "080090000001", "owner_id": "80090000001",
        "registered_on": "05/03/2019", "main_industry": "4711", "commune_code": OLD_WARD,
    }  # fmt: skip


def indicator() -> Iterator[tuple[str, Row]]:
    """What others have published, word for word."""
    with next(REVIEWED.glob("so_lieu_cong_bo_*.csv")).open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            yield "published_value", {name: value or None for name, value in row.items()}


def insurance() -> Iterator[tuple[str, Row]]:
    """Two present communes in two months, and Phường 1 in the last month that it was there."""
    for month, commune, cards in (
        ("06/2025", OLD_WARD, 54), ("07/2025", PRESENT_WARD, 24), ("07/2025", "28036", 30), ("08/2025", PRESENT_WARD, 25),
        ("08/2025", "28036", 30),
    ):  # fmt: skip
        groups = {f"cards_{name}": "0" for name in ("employment", "fund", "budget", "supported")}
        yield "commune_month", {
            "record_no": f"{month} {commune}", "month": month, "commune_code": commune, "commune_name": "Phường Long An",
            "compulsory": "4", "voluntary": "1", "unemployment": "3", **groups, "cards_household": str(cards),
            "cards_total": str(cards), "population": "1.000",
        }  # fmt: skip


def civil() -> Iterator[tuple[str, Row]]:
    """The death that the register reports too, ten days after it, and a marriage."""
    row = {"registered_on": "20/08/2025", "commune_code": PRESENT_WARD, "sex_code": "1"}
    yield "registration", row | {
        "registration_no": "KT-1", "event_type": "KT", "event_date": "20/08/2025", "person_id": "080090000045",
    }  # fmt: skip
    yield "registration", row | {
        "registration_no": "KH-1", "event_type": "KH", "event_date": "20/08/2025", "person_id": "080090000001",
        "spouse_id": "080190000021",
    }  # fmt: skip


def finance() -> Iterator[tuple[str, Row]]:
    """Of a commune in August 2025, in two units of account: what was told of and not planned, and the other way about."""
    line = {"level_code": "4", "unit_code": "4000001", "area_code": PRESENT_WARD}
    for number, (chapter, item, estimate, executed) in enumerate(
        [("805", "6000", "2", "10.000"), ("805", "7750", "10", None), ("857", "1600", "2", "10.000"), ("857", "2800", "10", None)]
    ):  # fmt: skip
        named = line | {"record_no": f"{number}", "chapter_code": chapter, "item_code": item}
        span = {"from_month": "08/2025", "to_month": "08/2025"}
        yield "estimate", named | span | {"amount": estimate, "amount_unit": "triệu đồng"}
        if executed:
            yield "execution", named | {"month": "08/2025", "amount": executed, "amount_unit": "nghìn đồng"}


def digital() -> Iterator[tuple[str, Row]]:
    """Two teams of Phường 1, one of which has ended, one of Bình Thạnh, which was divided; an enterprise."""
    for number, commune, ended in ((1, OLD_WARD, None), (2, OLD_WARD, "01/08/2025"), (3, SPLIT, None)):
        yield "team", {
            "team_no": f"T{number}", "team_name": f"Tổ {number}", "commune_code": commune, "founded_on": "01/03/2024",
            "ended_on": ended, "members": "5",
        }  # fmt: skip
    yield "enterprise", {
        "tax_code": "1100000012", "enterprise_name": "Công ty", "activity_code": "PHANMEM", "commune_code": OLD_WARD,
        "listed_on": "05/03/2024", "employees": "4",
    }  # fmt: skip


SOURCES = {
    "admin": admin,
    "population": population,
    "procedures": procedures,
    "land": land,
    "business": business,
    "indicator": indicator,
    "insurance": insurance,
    "civil": civil,
    "finance": finance,
    "digital": digital,
    "hotline": hotline,
    "documents": documents,
    "signatures": signatures,
    "identity": identity,
    "payments": payments,
}


def fill(settings: Settings, sources: Mapping[str, Callable[[], Iterator[tuple[str, Row]]]] = SOURCES) -> None:
    """Create the raw tables of every contract and insert the records, as the loader would have left them."""
    with warehouse.connect(settings, "loader") as connection:
        for name, source in contract.sources().items():
            for table in source.tables:
                raw.create_tables(connection, table, {column.name: column.data_type for column in table.columns}, 1)
                raw.add_key(connection, table)
            insert(connection, name, sources.get(name, lambda: iter(()))())
    location.update(settings)


def insert(connection: Any, source: str, rows: Iterable[tuple[str, Row]], load_id: int = 1) -> None:
    """Add records of a source to raw, as a load of the last day."""
    for table, row in rows:
        relation = sql.Identifier("raw", contract.source(source).table(table).relation)
        values = row | {"_load_id": load_id, "_loaded_at": "2025-09-30 01:00+07"}
        names = sql.SQL(", ").join(map(sql.Identifier, values))
        places = sql.SQL(", ").join(map(sql.Placeholder, values))
        connection.execute(sql.SQL("insert into {} ({}) values ({})").format(relation, names, places), values)


def run(settings: Settings, *arguments: str, as_of: str = AS_OF, build_id: int = 7, **variables: int) -> int:
    """dbt with what the pipeline says of a build. Unit tests say it themselves, as variables: where they are run, it is said
    so to all."""
    values = {"as_of": as_of, "build_id": build_id} | variables
    target = settings.artefacts / "dbt"
    if arguments[0] == "build" and "unit_test" not in arguments:
        return transform.dbt(settings, [*arguments, "--vars", json.dumps(values)], target)
    return transform.dbt(
        settings, arguments, target, {f"KHOCHUNG_BUILD_{name.upper()}": str(value) for name, value in values.items()}
    )


@dataclass
class Subject:
    """A part of the project over the hand-made province: `select` says which part, `marts` which tables it is judged by."""

    settings: Settings
    select: Sequence[str]
    marts: Sequence[str]

    @classmethod
    @contextmanager
    def built(
        cls, home: Path, select: Sequence[str], marts: Sequence[str], source: str, rows: Iterable[tuple[str, Row]]
    ) -> Iterator["Subject"]:
        """On a server of its own, with `rows` of a source beside those of the province."""
        with running(Settings(home)) as settings:
            fill(settings)
            with warehouse.connect(settings, "loader") as connection:
                insert(connection, source, rows)
            made = cls(settings, select, marts)
            made.build()
            yield made

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        with warehouse.connect(self.settings, "transformer") as connection:
            return connection.execute(statement).fetchall()  # type: ignore[arg-type]

    def build(self) -> None:
        arguments = ("build", *self.select, "--exclude-resource-type", "unit_test")
        assert run(self.settings, *arguments) == 0, "dbt build failed: see the output above"

    def contents(self) -> dict[str, list[tuple[Any, ...]]]:
        return {name: sorted(self.query(f"select cast(t as text) from marts.{name} as t")) for name in self.marts}

    def build_from_nothing(self) -> None:
        with warehouse.connect(self.settings, "transformer") as connection:
            for schema in ("marts", "intermediate", "staging"):
                tables = connection.execute(
                    "select tablename from pg_tables where schemaname = %s", [schema]
                ).fetchall()
                for (table,) in tables:
                    connection.execute(f"drop table {schema}.{table} cascade")
        self.build()
