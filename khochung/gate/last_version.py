"""The rows of the last released version, kept in the warehouse: what the next version is held against."""

from psycopg import sql

from khochung.contract import Dataset
from khochung.warehouse import Connection


def keep(ledger: Connection, publisher: Connection, dataset: Dataset, version: str) -> None:
    """Copy the relation as `publisher` sees it to `released.version_row`, for the day on which `version` is the last one.

    Rows of versions before the one that is public now go, and so do those of a publication that never came about.
    """
    rows = sql.SQL("copy (select {}, {}, to_jsonb(part) from {} as part) to stdout").format(
        sql.Literal(dataset.slug), sql.Literal(version), sql.Identifier("open_data", dataset.model)
    )
    with ledger.transaction(), ledger.cursor() as target, publisher.cursor() as source:
        target.execute(
            "delete from released.version_row where slug = %s and version is distinct from "
            "(select last_row.version from released.last_row where last_row.slug = %s limit 1)",
            [dataset.slug, dataset.slug],
        )
        with (
            source.copy(rows) as given,
            target.copy("copy released.version_row (slug, version, cells) from stdin") as taken,
        ):
            for block in given:
                taken.write(block)
