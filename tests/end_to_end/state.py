"""What two installations must have in common to be called the same: rows of every layer and released bytes."""

import hashlib
import json

from conftest import Installation

# When it was loaded and by which load may differ; what is held may not.
PASSING = {
    "_load_id",
    "_loaded_at",
    "first_seen",
    "open_since",
    "last_seen",
    "closed_at",
    "opened_build_id",
    "build_id",
}
LAYERS = ("raw", "marts", "open_data", "quality")


def rows_by_table(installation: Installation) -> dict[str, tuple[int, str]]:
    """(rows, order-free digest of their lasting columns) by table."""
    tables = installation.ask(
        f"""
        select c.table_schema, c.table_name, array_agg(c.column_name::text order by c.ordinal_position)
        from information_schema.columns as c
        join information_schema.tables as t using (table_schema, table_name)
        where t.table_type = 'BASE TABLE' and c.table_schema = any(array{list(LAYERS)}) and c.table_name <> 'refused'
        group by 1, 2 order by 1, 2
        """
    )
    digests = {}
    for schema, table, columns in tables:
        lasting = ", ".join(f'"{name}"' for name in columns if name not in PASSING)
        ((count, digest),) = installation.ask(
            f"select count(*), md5(string_agg(line, '' order by line)) "
            f'from (select md5(row({lasting})::text) as line from {schema}."{table}") as lines'
        )
        digests[f"{schema}.{table}"] = (count, digest)
    return digests


def released(installation: Installation) -> dict[str, str]:
    """SHA-256 of every data file that is public, by path; `quality.json` and the like carry times of judgement."""
    root = installation.settings.public.resolve()
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((root / "data").rglob("*"))
        if path.suffix in (".csv", ".gz", ".parquet")
    }


def versions(installation: Installation) -> dict[str, str]:
    """Newest version by dataset, as the public sees it."""
    catalogue = json.loads((installation.settings.public / "api" / "v1" / "catalog.json").read_text(encoding="utf-8"))
    return {item["slug"]: item["version"] for item in catalogue["datasets"]}
