"""The rows of the last released version, kept in the warehouse: what the next version is held against.

Whoever could change them could let a version through that should not be: they are sealed, as verdicts are.
"""

from psycopg import sql

from khochung.contract import Dataset
from khochung.gate import verdicts
from khochung.seal import is_sealed, seal
from khochung.settings import Settings
from khochung.warehouse import Connection

_ROWS = sql.SQL("(select cells from released.version_row where slug = {} and version = {})")


def keep(settings: Settings, ledger: Connection, publisher: Connection, dataset: Dataset, version: str) -> None:
    """Copy the relation as `publisher` sees it to `released.version_row`, for the day on which `version` is the last one.

    Rows of versions before the one that is public now go, and so do those of a publication that never came about.
    """
    rows = sql.SQL("copy (select {}, {}, to_jsonb(part) from {} as part) to stdout").format(
        sql.Literal(dataset.slug), sql.Literal(version), sql.Identifier("open_data", dataset.model)
    )
    with ledger.transaction(), ledger.cursor() as target, publisher.cursor() as source:
        for table in ("version_row", "version_seal"):
            target.execute(
                sql.SQL(
                    "delete from released.{} where slug = %s and (version = %s or version is distinct from "
                    "(select version from released.last_version where slug = %s))"
                ).format(sql.Identifier(table)),
                [dataset.slug, version, dataset.slug],
            )
        with (
            source.copy(rows) as given,
            target.copy("copy released.version_row (slug, version, cells) from stdin") as taken,
        ):
            for block in given:
                taken.write(block)
        record = _record(ledger, dataset.slug, version)
        target.execute(
            "insert into released.version_seal (slug, version, fingerprint, seal) values (%s, %s, %s, %s)",
            [*record.values(), seal(settings, record)],
        )


def is_genuine(settings: Settings, ledger: Connection, slug: str, version: str) -> bool:
    """True when the rows that the next version is held against are those of `version`, as they were kept."""
    row = ledger.execute(
        "select seal, (select version from released.last_version where last_version.slug = version_seal.slug) "
        "from released.version_seal where slug = %s and version = %s",
        [slug, version],
    ).fetchone()
    return row is not None and row[1] == version and is_sealed(settings, _record(ledger, slug, version), row[0])


def _record(ledger: Connection, slug: str, version: str) -> dict[str, str | None]:
    rows = _ROWS.format(sql.Literal(slug), sql.Literal(version))
    return {"slug": slug, "version": version, "fingerprint": verdicts.fingerprint_of(ledger, rows)}
