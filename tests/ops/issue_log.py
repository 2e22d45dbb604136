"""A hand-made issue log, as dbt would have left it."""

from collections.abc import Iterable
from typing import Any

from khochung import warehouse
from khochung.settings import Settings

TABLES = """
    drop table if exists quality.issue, seeds.issue_code;
    create table seeds.issue_code (
        issue_code text, severity text, title_vi text, title_en text, remedy_vi text, remedy_en text
    );
    insert into seeds.issue_code values
        ('CODE_UNKNOWN', 'warning', 'Mã lạ', 'Unknown code', 'Sửa mã', 'Correct the code'),
        ('WHITESPACE', 'info', 'Khoảng trắng', 'Blanks', 'Xoá', 'Delete');
    create table quality.issue (
        issue_key text primary key default gen_random_uuid()::text, source_name text default 'land',
        table_name text default 'parcel', record_key text, field text default 'xa_id',
        issue_code text default 'CODE_UNKNOWN', severity text default 'warning', masked_value text,
        agency text default 'Sở Nông nghiệp và Môi trường', first_seen date default '2025-09-01',
        open_since date default '2025-09-01', last_seen date default '2025-09-30', closed_at date,
        opened_build_id bigint default 1, build_id bigint default 1
    );
"""


def fill(settings: Settings, issues: Iterable[dict[str, Any]]) -> None:
    """The log holds these issues and no others; what is left out of one has a default."""
    with warehouse.connect(settings, "transformer") as connection:
        connection.execute(TABLES)
        for issue in issues:
            names, places = ", ".join(issue), ", ".join(f"%({name})s" for name in issue)
            connection.execute(f"insert into quality.issue ({names}) values ({places})", issue)  # type: ignore[arg-type]
