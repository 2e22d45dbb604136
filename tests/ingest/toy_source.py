"""A laboratory for loads: toy contracts, deliveries made by hand, and the whole state that a load may change."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pyarrow as pa
from psycopg import sql

from khochung import landing, load
from khochung.contract import Source, Table
from khochung.extract import Delivery, Window, text_schema
from khochung.settings import Settings

Row = Sequence[str | None]
START = datetime(2025, 9, 1, tzinfo=UTC)
COLUMNS = {"id": "text", "name": "text", "changed_at": "timestamptz"}
_numbers = itertools.count(1)


def make_source(
    name: str,
    connector: str,
    columns: dict[str, str] | None = None,
    service: dict[str, Any] | None = None,
    **options: Any,
) -> tuple[Source, Table]:
    """A source of one table; `columns` maps names to types, the first is the key unless `key` says otherwise."""
    columns = columns or COLUMNS
    entry: dict[str, Any] = {
        "source": name,
        "name": "thing",
        "description": "Toy.",
        "path": "thing",
        "load": "snapshot",
        "key": [next(iter(columns))],
        "row_floor": 0,
        "delete_guard": 1,
        "columns": [
            {"name": column, "data_type": kind, "description": "Toy.", "path": column, "privacy": "none"}
            for column, kind in columns.items()
        ],
        "declared_in": "_toy__sources.yml",
    }
    source = Source.model_validate(
        {
            "name": name,
            "title_vi": "Nguồn thử",
            "description": "Toy.",
            "connector": connector,
            "owner_agency": "Sở Thử",
            "schedule": "0 0 * * *",
            "fresh_within_hours": 36,
            "legal_basis": "none",
            "tables": [entry | options],
        }
        | ({"service": service} if service else {})
    )
    return source, source.tables[0]


@dataclass(frozen=True)
class State:
    """Everything that a load writes. Equal states: nothing has happened. Times of loading and load ids are left out."""

    current: list[tuple[Any, ...]]
    history: list[tuple[Any, ...]]
    refused: list[tuple[Any, ...]]
    ledger: list[tuple[Any, ...]]
    watermark: datetime | None


@dataclass
class Lab:
    """One warehouse and the toy contracts in it; every table gets a source of its own."""

    settings: Settings
    connection: psycopg.Connection[tuple[Any, ...]] = field(repr=False)
    contracts: dict[str, Source] = field(default_factory=dict, repr=False)

    def table(self, columns: dict[str, str] | None = None, **options: Any) -> Table:
        source, table = make_source(f"toy{next(_numbers)}", "database", columns, **options)
        self.contracts[source.name] = source
        return table

    def declare(self, table: Table, **changes: Any) -> Table:
        """The contract of `table` as somebody has edited it."""
        edited = Table.model_validate(table.model_dump() | changes)
        self.contracts[table.source] = self.contracts[table.source].model_copy(update={"tables": (edited,)})
        return edited

    def land(
        self, table: Table, rows: Iterable[Row], day: int = 1, full: bool = False, counted: int | None = None
    ) -> Path:
        """Land rows as text, as of September `day` 2025; a cursor table's window is that day unless `full`."""
        schema, held = text_schema(table), list(rows)
        batch = pa.RecordBatch.from_pylist([dict(zip(schema.names, row, strict=True)) for row in held], schema)
        end = START + timedelta(days=day)
        start = end - timedelta(days=1) if table.load == "cursor" and not full else None
        delivery = Delivery(schema, iter([batch] if held else []), "thing", counted=counted)
        return landing.write(self.settings, table, Window(date(2025, 9, day), start, end), delivery)

    def load(self, table: Table, rows: Iterable[Row], day: int = 1, **options: Any) -> load.Counts:
        counts = load.load(self.settings, self.land(table, rows, day, **options))
        assert counts is not None
        return counts

    def query(self, statement: str | sql.Composable, *values: Any) -> list[tuple[Any, ...]]:
        return self.connection.execute(statement, values or None).fetchall()  # type: ignore[arg-type]

    def rows(self, table: Table, suffix: str = "") -> list[tuple[Any, ...]]:
        """Rows in the contract's columns and whether each is a tombstone."""
        if self.query("select to_regclass(%s)", f"raw.{table.relation}{suffix}") == [(None,)]:
            return []
        names = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns)
        statement = sql.SQL("select {}, _deleted_at is not null from raw.{}").format(
            names, sql.Identifier(table.relation + suffix)
        )
        return sorted(self.query(statement), key=repr)

    def refused(self, table: Table) -> list[tuple[Any, ...]]:
        if self.query("select to_regclass('raw.refused')") == [(None,)]:
            return []
        return self.query(
            "select code, record_key, field, payload, seen from raw.refused where source_name = %s order by 1, 2, 3, payload::text",
            table.source,
        )

    def ledger(self, table: Table) -> list[tuple[Any, ...]]:
        """One row per load: extracted, refused, duplicate, inserted, updated, unchanged, tombstoned, current."""
        names = ", ".join(f"{name}_rows" for name in load.Counts.__dataclass_fields__)
        return self.query(f"select {names} from ops.load where source_name = %s order by load_id", table.source)

    def state(self, table: Table) -> State:
        mark = self.query("select watermark from ops.watermark where source_name = %s", table.source)
        return State(
            self.rows(table),
            self.rows(table, "__history"),
            self.refused(table),
            self.ledger(table),
            mark[0][0] if mark else None,
        )
