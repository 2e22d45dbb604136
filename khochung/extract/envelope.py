"""An answer of the LGSP, `{"Status": "SUCCESS", "Total": n, "PageSize": n, "Data": [...]}`, to Arrow columns of text.

What was sent stays: texts keep their letters and numbers their digits, `jsonb` its very spelling. A field that is
missing from one row is null there; one that is missing from every row of a page breaks the contract; one that the
contract does not know is kept aside in `_extra`, named by its path. The fields of the contract are decoded straight into
slots; only a page that does not fit is looked at as a whole, to say why.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from typing import Any, NoReturn

import msgspec
import pyarrow as pa
from msgspec import UNSET, Raw

from khochung.contract import Column, Table
from khochung.errors import ContractError, SourceUnavailableError
from khochung.extract import EXTRA, missing_columns, text_schema
from khochung.places import declared_at

PLAIN_CODE = re.compile(r"[0-9]{1,6}|[A-Za-z][A-Za-z_.-]{0,30}[0-9]{0,6}")
ENVELOPE = ("Status", "Code", "Total", "PageSize")
NOTHING = (None, "", UNSET)  # in place of an object
Tree = dict[str, "Tree | Column"]


@dataclass(frozen=True)
class Page:
    """One page as it is handed on, and what the source said of the whole. `next`: the cursor of the page after it.

    `position`: how many rows should be before it; None when the page was asked for by cursor.
    """

    batch: pa.RecordBatch
    total: int
    size: int | None
    next: str | None
    position: int | None = None


class Reader:
    """Reads the answers for one table; not for several threads at once."""

    def __init__(self, table: Table) -> None:
        self._new: dict[str, list[str]] = {}  # by path of an object: its fields that the contract does not know
        self._table, self._schema = table, text_schema(table).append(pa.field(EXTRA, pa.string()))
        self._tree: Tree = {}
        self._empty: dict[str, Any] = {}  # by path: an object without fields, in place of none
        for column in table.columns:
            self._plant(column)
        self._decoder = self._make_decoder()

    def page(self, content: bytes) -> Page:
        """Raises SourceUnavailableError for what is worth another try, ContractError for what breaks the contract."""
        try:
            answer = self._decode(content)
            self._check(answer.Status, answer.Code, answer.Data is UNSET, answer.Total is UNSET)
            rows = answer.Data if isinstance(answer.Data, list) else [] if answer.Data is None else [answer.Data]
            batch = self._batch(rows)
        except (msgspec.DecodeError, UnicodeDecodeError):
            page = content.lstrip()[:1] == b"<"
            kind = "a web page or XML, perhaps to sign in or of maintenance" if page else "a body cut short, or no JSON"
            raise SourceUnavailableError(f"{self._place} sent {kind}") from None  # the error may quote the body
        size = answer.PageSize if isinstance(answer.PageSize, int) and answer.PageSize > 0 else None
        return Page(batch, self._total(answer.Total), size, self._next(answer))

    @property
    def unknown(self) -> set[str]:
        """Paths of the fields seen so far that the contract does not know."""
        return {f"{above}{name}" for above, names in self._new.items() for name in names}

    @property
    def _place(self) -> str:
        return f"{self._table.source}.{self._table.name}: {self._table.path}"

    def _plant(self, column: Column) -> None:
        *heads, leaf = column.path.split(".")
        node = self._tree
        for head in heads:
            inner = node.setdefault(head, {})
            if isinstance(inner, Column):
                self._overlap(column, inner)
            node = inner
        if leaf in node:
            self._overlap(column, node[leaf])
        node[leaf] = column

    def _overlap(self, column: Column, other: "Tree | Column") -> NoReturn:
        name = other.name if isinstance(other, Column) else "another column"
        raise ContractError(
            f"{self._table.source}.{self._table.name}: `path` of {column.name} and {name} overlap; take the object once, "
            f"as jsonb, in {self._table.declared_in}"
        )

    def _make_decoder(self) -> "msgspec.json.Decoder[Any]":
        row = self._struct(self._tree, "")
        slots = [(name, Any, UNSET) for name in ENVELOPE]
        head = self._table.paging.next.split(".")[0]
        cursor = [] if head in (*ENVELOPE, "Data") else [("cursor", Any, UNSET)]
        data = ("Data", list[row] | row | None, UNSET)  # type: ignore[valid-type]
        answer = msgspec.defstruct("Answer", [*slots, data, *cursor], rename={"cursor": head}, gc=False)
        return msgspec.json.Decoder(answer, float_hook=str)

    def _struct(self, tree: Tree, above: str) -> Any:
        """A class with a slot for each field, named by its place, since a source may call a field anything."""
        slots: list[tuple[str, Any, Any]] = []
        names = {f"f{place}": name for place, name in enumerate(tree)}
        for slot, inner in zip(names, tree.values(), strict=True):
            if isinstance(inner, Column):
                kind = Raw if inner.data_type == "jsonb" else Any
            else:
                kind = self._struct(inner, f"{above}{names[slot]}.") | str | None
            slots.append((slot, kind, UNSET))
        skipped = {f"u{place}": name for place, name in enumerate(self._new.get(above, ()))}
        slots += [(slot, Raw, UNSET) for slot in skipped]
        made = msgspec.defstruct("Row", slots, rename=names | skipped, gc=False, forbid_unknown_fields=True)
        self._empty[above] = made()
        return made

    def _decode(self, content: bytes) -> Any:
        try:
            return self._decoder.decode(content)
        except msgspec.ValidationError:
            self._understand(msgspec.json.decode(content))
            return self._decoder.decode(content)

    def _understand(self, body: Any) -> None:
        """Says what is wrong with an answer that does not fit, or learns the fields that are new."""
        if not isinstance(body, dict):
            raise SourceUnavailableError(f"{self._place} sent JSON that is no object")
        self._check(body.get("Status"), body.get("Code"), "Data" not in body, "Total" not in body)
        rows = body["Data"] if isinstance(body["Data"], list) else [body["Data"]]
        if not all(isinstance(row, dict) for row in rows):
            raise ContractError(f"{self._place} sent Data that is no list of objects; ask the owner what has changed")
        for row in rows:
            self._check_objects(row, self._tree, "")
        self._decoder = self._make_decoder()

    def _check_objects(self, value: dict[str, Any], tree: Tree, above: str) -> None:
        known = self._new.setdefault(above, [])
        known += sorted(value.keys() - tree.keys() - set(known))
        for name, inner in tree.items():
            found = value.get(name)
            if isinstance(inner, dict) and isinstance(found, dict):
                self._check_objects(found, inner, f"{above}{name}.")
            elif isinstance(inner, dict) and found not in NOTHING:
                raise self._no_object(found, inner, f"{above}{name}")

    def _no_object(self, found: Any, tree: Tree, path: str) -> ContractError:
        kind = "a list" if isinstance(found, list) else "a plain value"
        return ContractError(
            f"{self._table.source}.{self._table.name}: {path} holds {kind} where the contract looks for {next(iter(tree))} "
            f"inside an object; correct `path` in {self._table.declared_in}, or declare {path} as jsonb"
        )

    def _check(self, status: Any, code: Any, no_data: bool, no_total: bool) -> None:
        if status != "SUCCESS":
            plain = PLAIN_CODE.fullmatch(str(code or ""))  # what is no plain code may quote a person
            raise SourceUnavailableError(f"{self._place} answered 200 with error {code if plain else 'of no code'}")
        absent = [name for name, is_absent in (("Data", no_data), ("Total", no_total)) if is_absent]
        if absent:
            raise ContractError(
                f"{self._place} answered without {' and '.join(absent)}; ask the owner what has changed"
            )

    def _total(self, total: Any) -> int:
        if isinstance(total, str) and total.isascii() and total.isdecimal():
            return int(total)
        if isinstance(total, int) and not isinstance(total, bool) and total >= 0:
            return total
        raise ContractError(f"{self._place} sent a Total that is no count; ask the owner what has changed")

    def _next(self, answer: Any) -> str | None:
        value = getattr(answer, "cursor", UNSET)
        for step in self._table.paging.next.split(".")[1:]:
            value = value.get(step) if isinstance(value, dict) else None
        return None if value in NOTHING else str(value)

    def _batch(self, rows: list[Any]) -> pa.RecordBatch:
        arrays = dict(self._columns(rows, self._tree, "")) if rows else {}
        missing = sorted(column.path for column in self._table.columns if arrays.get(column.name, ()) is None)
        if missing:
            raise missing_columns(self._table, missing, self._table.path)
        arrays[EXTRA] = self._extra(rows)
        empty = pa.array([], pa.string())
        return pa.RecordBatch.from_arrays([arrays.get(name, empty) for name in self._schema.names], schema=self._schema)

    def _extra(self, rows: list[Any]) -> pa.Array:
        found: list[list[str]] = [[] for _ in rows]
        unknown = self._unknown_values(rows, self._tree, "") if self.unknown else ()
        for path, values in sorted(unknown, key=itemgetter(0)):  # the same rows, the same bytes
            name = msgspec.json.encode(path).decode()
            for fields, value in zip(found, values, strict=True):
                if value is not UNSET:
                    fields.append(f"{name}:{bytes(value).decode()}")
        return pa.array([f"{{{','.join(fields)}}}" if fields else None for fields in found], pa.string())

    def _unknown_values(self, objects: list[Any], tree: Tree, above: str) -> Iterator[tuple[str, list[Any]]]:
        for place, name in enumerate(self._new.get(above, ())):
            yield f"{above}{name}", list(map(attrgetter(f"u{place}"), objects))
        for place, (name, inner) in enumerate(tree.items()):
            if isinstance(inner, dict):
                path = f"{above}{name}."
                values = map(attrgetter(f"f{place}"), objects)
                yield from self._unknown_values([found or self._empty[path] for found in values], inner, path)

    def _columns(self, rows: list[Any], tree: Tree, above: str) -> Iterator[tuple[str, pa.Array | None]]:
        """Column name and array of each leaf; None for a field that no object has in which it could be."""
        anybody = any(row is not self._empty[above] for row in rows)
        for place, (name, inner) in enumerate(tree.items()):
            values = list(map(attrgetter(f"f{place}"), rows))
            if isinstance(inner, dict):
                yield from self._inside(values, inner, f"{above}{name}")
            elif anybody and all(value is UNSET for value in values):
                yield inner.name, None
            else:
                yield inner.name, self._array(inner, values)

    def _inside(self, objects: list[Any], tree: Tree, path: str) -> Iterator[tuple[str, pa.Array | None]]:
        empty = self._empty[f"{path}."]
        texts = [found for found in objects if found and isinstance(found, str)]
        if texts:
            raise self._no_object(texts[0], tree, path)
        yield from self._columns([found or empty for found in objects], tree, f"{path}.")

    def _array(self, column: Column, values: list[Any]) -> pa.Array:
        if column.data_type == "jsonb":
            return pa.array([None if value is UNSET else _spelled(value) for value in values], pa.string())
        try:
            return pa.array(values, pa.string())
        except (pa.ArrowTypeError, pa.ArrowInvalid):
            return pa.array(self._texts(column, values), pa.string())

    def _texts(self, column: Column, values: list[Any]) -> list[str | None]:
        """As JSON writes them; a number with a fraction has come as its text already."""
        if set(map(type, values)) & {dict, list}:
            raise ContractError(
                f"{self._table.source}.{self._table.name}: {column.path} holds an object or a list where the contract says "
                f"text; correct `path` or `data_type` of {column.name} in {declared_at(self._table, [column])}"
            )
        words = {True: "true", False: "false"}
        return [
            None if value is UNSET or value is None
            else words[value] if isinstance(value, bool) else str(value)
            for value in values
        ]  # fmt: skip


def _spelled(value: Raw) -> str | None:
    text = bytes(value).decode()
    return None if text == "null" else text
