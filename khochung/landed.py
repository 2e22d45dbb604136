"""Landed rows in the columns of the contract as it stands now, which may be younger than the file.

A column is found by where the source keeps it (`path`), else among the fields that no contract knew when the file was
landed (`_extra`), else by its name. One that the source did not send then is null, as it is in `raw` for older rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from khochung.contract import Column, Table
from khochung.errors import ContractError
from khochung.extract import EXTRA, path_of

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_FROM_EXTRA, _NOWHERE = EXTRA, ""


@dataclass(frozen=True)
class Wanted:
    """The contract's columns, and for each the landed column that holds it, `_extra`, or nothing."""

    columns: tuple[Column, ...]
    held_in: tuple[str, ...]

    @classmethod
    def of(cls, file: pq.ParquetFile, table: Table, unknown: list[str], origin: str) -> "Wanted":
        """Raises ContractError when the source has sent a column that was not kept."""
        schema = file.schema_arrow
        by_path = {path_of(field): field.name for field in schema if field.name != EXTRA}
        held_in = []
        for column in table.columns:
            is_unknown = column.path in unknown or column.path.split(".")[0] in unknown
            if is_unknown and not _has_extra(file):
                raise ContractError(
                    f"{table.source}.{table.name}: {origin} held {column.path} when it was landed, but it was not kept, since no "
                    f"contract knew it; read the source again, or take the column out of {table.declared_in}"
                )
            named = column.name if column.name in schema.names else _NOWHERE
            held_in.append(by_path.get(column.path) or (_FROM_EXTRA if is_unknown else named))
        return cls(table.columns, tuple(held_in))

    @property
    def read(self) -> list[str]:
        """The landed columns that are needed."""
        return sorted(set(self.held_in) - {_NOWHERE})

    def take(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The contract's columns in its order."""
        if batch.schema.names == [column.name for column in self.columns] == list(self.held_in):
            return batch
        made = list(self._fields(batch))
        return pa.RecordBatch.from_arrays([array for array, _ in made], schema=pa.schema([field for _, field in made]))

    def _fields(self, batch: pa.RecordBatch) -> Iterator[tuple[pa.Array, pa.Field]]:
        for column, name in zip(self.columns, self.held_in, strict=True):
            text = pa.field(column.name, pa.string())
            if name == _FROM_EXTRA:
                yield _from_extra(column, batch.column(EXTRA)), text
            elif name == _NOWHERE:
                yield pa.nulls(batch.num_rows, pa.string()), text
            else:
                yield batch.column(name), batch.schema.field(name).with_name(column.name)


def _has_extra(file: pq.ParquetFile) -> bool:
    if EXTRA not in file.schema_arrow.names:
        return False
    place = file.schema_arrow.names.index(EXTRA)
    groups = (file.metadata.row_group(number) for number in range(file.num_row_groups))
    return any(group.column(place).statistics.null_count < group.num_rows for group in groups)


def _from_extra(column: Column, kept: pa.Array) -> pa.Array:
    return pa.array([_value(column, text) for text in kept.to_pylist()], pa.string())


def _value(column: Column, text: str | None) -> str | None:
    """Texts as they are, everything else as the source spelled it."""
    fields = _OBJECT.decode(text) if text else {}
    found = fields.get(column.path)
    if found is None:
        found = msgspec.Raw(text.encode()) if text else None
        for step in column.path.split("."):
            is_object = found is not None and bytes(found).lstrip().startswith(b"{")
            found = _OBJECT.decode(found).get(step) if is_object and found is not None else None
    spelled = bytes(found).decode() if found is not None else "null"
    if spelled == "null":
        return None
    return msgspec.json.decode(spelled, type=str) if spelled[0] == '"' and column.data_type != "jsonb" else spelled
