"""`Incoming`: one landed delivery on its way into `raw`, inside the transaction of its load.

COPY brings the rows, what cannot be kept is set aside in `raw.refused`, of several rows with one key one stays, and the
rest gets the types of the contract. This happens in a temporary table that is then merged; the first delivery of a
table becomes the table itself, which spares writing every row a second time.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

from khochung import binary, extract, raw
from khochung.ahead import some_ahead
from khochung.contract import Column, Table

Connection = psycopg.Connection[tuple[Any, ...]]
NO_KEY = ("", "null")  # texts that name nothing


@dataclass
class Incoming:
    """The rows of load `load_id`. `is_first`: the table was not there, and `relation` is the table itself.

    `staged`: the types of the columns as COPY brings them, until `give_types`; `keyless`: columns of the key that
    some row lacks.
    """

    connection: Connection
    table: Table
    load_id: int
    is_first: bool
    staged: dict[str, str] = field(default_factory=dict)
    keyless: set[str] = field(default_factory=set)

    @property
    def relation(self) -> sql.Composable:
        return sql.Identifier("raw", self.table.relation) if self.is_first else sql.Identifier("incoming")

    def copy(self, batches: Iterable[pa.RecordBatch]) -> int:
        """Landed rows into a new table, in their order. Returns the number of rows."""
        iterator = iter(batches)
        first = next(iterator, None)
        self._create(first.schema if first is not None else extract.text_schema(self.table))
        if first is None:
            return 0
        names = raw.names(column.name for column in self.table.columns)
        # Frozen: nobody has seen the table yet, so no later reader or vacuum has to write to it.
        statement = sql.SQL("copy {} ({}) from stdin (format binary, freeze)").format(self.relation, names)
        rows, types = 0, list(self.staged.values())
        with self.connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(binary.HEADER)
            for count, blocks in some_ahead(self._encoded(chain([first], iterator), types)):
                rows += count
                for block in blocks:
                    copy.write(block)
            copy.write(binary.TRAILER)
        return rows

    def refuse(self) -> int:
        """Set aside rows that cannot be kept: a key is missing, or a value does not fit the contract's type."""
        keyless = [name for name in self.table.key if name in self.keyless]
        checks = [(name, "KEY_MISSING", _no_key(name, self.staged[name])) for name in keyless]
        checks += [(column.name, "TYPE_MISMATCH", _misfit(column)) for column in self._untyped()]
        if not checks:
            return 0
        # One pass over all rows tells whether there is anything to set aside at all.
        suspect = sql.SQL(" or ").join(condition for _, _, condition in checks)
        if not self._number("select exists (select from {relation} where {suspect})::integer", suspect=suspect):
            return 0
        return sum(self._set_aside(code, field, condition) for field, code, condition in checks)

    def keep_one_per_key(self) -> int:
        """Of several rows with one key the one with the latest cursor stays, else the last sent; others are set aside."""
        if self.is_first and not self._untyped() and self._key_holds():
            return 0
        table = self.table
        # As the values that they are: two spellings of one number or day are one key.
        key = sql.SQL(", ").join(raw.typed(table, name) for name in table.key)
        newest = [sql.SQL("{} desc nulls last").format(raw.typed(table, table.cursor))] if table.cursor else []
        # Rows of a table that this very transaction made lie in the order in which COPY brought them.
        order = sql.SQL(", ").join([*newest, sql.SQL("ctid desc")])
        content = sql.SQL("md5(row({})::text)").format(raw.names(column.name for column in table.columns))
        self._run(
            """
            create temp table surplus on commit drop as
            select place, kept_content is not distinct from content as is_exact
            from (
                select
                    ctid as place, {content} as content, row_number() over same_key as rank,
                    first_value({content}) over same_key as kept_content
                from {relation}
                where ({key}) in (select {key} from {relation} group by {key} having count(*) > 1)
                window same_key as (partition by {key} order by {order})
            ) as ranked
            where rank > 1
            """,
            content=content,
            key=key,
            order=order,
        )
        duplicates = 0
        for code, exact in (("KEY_DUPLICATE_EXACT", True), ("KEY_DUPLICATE_CONFLICT", False)):
            condition = sql.SQL("ctid = any(array(select place from surplus where is_exact = {}))")
            duplicates += self._set_aside(code, None, condition.format(sql.Literal(exact)))
        return duplicates

    def give_types(self) -> None:
        """From here on the rows hold the contract's types: one rewrite, and none where they already do."""
        changes = [
            sql.SQL("alter column {} type {} using {}").format(
                sql.Identifier(column.name), sql.SQL(column.data_type), raw.typed(self.table, column.name)
            )
            for column in self._untyped()
        ]
        if changes:
            self._run("alter table {relation} {changes}", changes=sql.SQL(", ").join(changes))
        # Without statistics the joins that follow become nested loops, and a load takes the square of its rows. They join
        # by the key; of a table that is to stay every column counts.
        joined = () if self.is_first else self.table.key
        self._run(
            "analyze {relation} {columns}", columns=sql.SQL("({})").format(raw.names(joined)) if joined else sql.SQL("")
        )

    def become_the_table(self) -> None:
        """The first delivery: the key over all rows in one sort, and no more defaults."""
        if not raw.has_key(self.connection, self.table):
            raw.add_key(self.connection, self.table)
        self._run("alter table {relation} alter column _load_id drop default, alter column _loaded_at drop default")

    def _key_holds(self) -> bool:
        """Try the key itself: where no two rows share one, that spares a search for those that do."""
        try:
            with self.connection.transaction():
                raw.add_key(self.connection, self.table)
        except psycopg.errors.UniqueViolation:
            return False
        return True

    def _encoded(self, batches: Iterable[pa.RecordBatch], types: list[str]) -> Iterator[tuple[int, list[memoryview]]]:
        for batch in batches:
            self.keyless.update(name for name in self.table.key if _lacks_key(batch.column(name)))
            yield batch.num_rows, list(binary.blocks(batch, types))

    def _create(self, schema: pa.Schema) -> None:
        columns = self.table.columns
        self.staged = {
            column.name: binary.column_type(column.data_type, schema.field(column.name)) for column in columns
        }
        if self.is_first:
            raw.create_tables(self.connection, self.table, self.staged, self.load_id)
        else:
            declared = raw.declared(self.staged)
            self._run("create temp table {relation} ({columns}) on commit drop", columns=declared)

    def _untyped(self) -> list[Column]:
        return [column for column in self.table.columns if self.staged[column.name] != column.data_type]

    def _set_aside(self, code: str, field: str | None, condition: sql.Composable) -> int:
        return self._number(
            """
            with gone as (
                delete from {relation} where {condition} returning *
            ),
            set_aside as (
                insert into raw.refused
                    (source_name, table_name, code, record_key, field, payload, payload_hash, first_load_id, last_load_id)
                select {source}, {table}, {code}, {key}, {field}, max(payload::text)::jsonb, payload_hash, {load}, {load}
                from (
                    select *, md5(payload::text)::uuid as payload_hash
                    from (select *, to_jsonb(gone) - {technical}::text[] as payload from gone) as kept
                ) as refused
                group by {key}, payload_hash
                on conflict (source_name, table_name, code, record_key, field, payload_hash)
                do update set last_load_id = excluded.last_load_id, seen = refused.seen + 1
            )
            select count(*) from gone
            """,
            condition=condition,
            source=sql.Literal(self.table.source),
            table=sql.Literal(self.table.name),
            code=sql.Literal(code),
            key=raw.record_key(self.table),
            field=sql.Literal(field),
            load=sql.Literal(self.load_id),
            technical=sql.Literal(list(raw.TECHNICAL)),
        )

    def _run(self, statement: str, **parts: sql.Composable) -> None:
        self.connection.execute(sql.SQL(statement).format(relation=self.relation, **parts))

    def _number(self, statement: str, **parts: sql.Composable) -> int:
        return scalar(self.connection, sql.SQL(statement).format(relation=self.relation, **parts))


def scalar(connection: Connection, statement: sql.SQL | sql.Composed) -> int:
    """The one number that a statement yields."""
    row = connection.execute(statement).fetchone()
    return int(row[0]) if row else 0


def _lacks_key(values: pa.Array) -> bool:
    """Whether a value is missing, or a text that says so; `_no_key` finds the rows."""
    if values.null_count or not pa.types.is_string(values.type):
        return bool(values.null_count)
    return bool(pc.any(pc.is_in(pc.utf8_trim(values, " "), pa.array(NO_KEY))).as_py())


def _no_key(name: str, kind: str) -> sql.Composable:
    missing = sql.SQL("{0} is null") if kind != "text" else sql.SQL("({0} is null or btrim({0}) in ({1}))")
    return missing.format(sql.Identifier(name), sql.SQL(", ").join(map(sql.Literal, NO_KEY)))


def _misfit(column: Column) -> sql.Composable:
    """True for a text that is no value of the column's type; `today` and `infinity` are no dates of a source."""
    name = sql.Identifier(column.name)
    invalid = sql.SQL("not pg_input_is_valid({}, {})").format(name, sql.Literal(column.data_type))
    if column.data_type not in ("date", "timestamp", "timestamptz"):
        return invalid
    return sql.SQL("({} or {} !~ '^ *[0-9]')").format(invalid, name)
