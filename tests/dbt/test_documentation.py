"""What people read about the warehouse: comments in the database, the entity diagram."""

from collections.abc import Callable
from typing import Any

import pytest

from khochung import diagram, transform
from khochung.settings import REPOSITORY, Settings

Query = Callable[..., list[tuple[Any, ...]]]


def test_everything_that_can_be_read_is_explained(query: Query) -> None:
    """`\\d+` shows a comment for each relation and column of the layers that people and agencies see."""
    place = "pg_class.relkind in ('r', 'v') and relnamespace::regnamespace::text in ('marts', 'kpi', 'open_data', 'quality')"
    columns = query(
        "select relname || '.' || attname, col_description(attrelid, attnum) from pg_class join pg_attribute on attrelid = "
        f"pg_class.oid where {place} and attnum > 0 and not attisdropped"
    )
    relations = query(f"select relname, obj_description(oid) from pg_class where {place}")
    assert len(columns) > 150 and len(relations) > 30
    assert [name for name, comment in columns + relations if not comment] == []


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return transform.manifest(Settings(tmp_path_factory.mktemp("manifest")))


def test_the_entity_diagram_is_that_of_the_declarations(manifest: dict[str, Any]) -> None:
    written = (REPOSITORY / diagram.PAGE).read_text(encoding="utf-8")
    assert written == diagram.page(manifest), "run `khochung docs`"


def test_the_diagram_shows_every_mart(manifest: dict[str, Any]) -> None:
    marts = [
        node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["schema"] == "marts"
    ]
    assert [name for name in marts if name not in diagram.page(manifest)] == []
