"""What was released last, as the gate needs it: rows of `ops.release` and `ops.release_item`, sealed when they are written.

Whoever could turn them could have an old approval count once more, or an old suite stand for the last one. Rows of an
installation from before there was a seal get one from the manifest on the disk (`khochung.release.store.heal`).
"""

from collections.abc import Sequence
from typing import Any

from khochung.seal import is_sealed
from khochung.settings import Settings
from khochung.warehouse import Connection

# The newest first by its number, which is sealed, and not by a clock, which is not.
_ORDER = "order by left(release_id, 10) desc, cast(split_part(release_id, '.', 2) as integer) desc"


def release_record(release_id: str, build_id: int, source_approvals: Sequence[int]) -> dict[str, Any]:
    """What the seal of a release is over."""
    return {"release_id": release_id, "build_id": build_id, "source_approvals": list(source_approvals)}


def item_record(release_id: str, slug: str, version: str, state: str, approval_id: int | None) -> dict[str, Any]:
    """What the seal of a dataset in a release is over."""
    return {"release_id": release_id, "slug": slug, "version": version, "state": state, "approval_id": approval_id}


def last_release(settings: Settings, ledger: Connection) -> tuple[int, int, bool] | None:
    """(build, newest decision on a source, whether that is as it was written) of the last release that held not everything."""
    rows = ledger.execute(
        "select release_id, build_id, source_approvals, seal, (select count(*) filter (where item.state <> 'held') "
        f"from ops.release_item as item where item.release_id = release.release_id) from ops.release {_ORDER}"
    ).fetchall()
    for *row, seal, carried in rows:
        genuine = is_sealed(settings, release_record(row[0], row[1], row[2]), seal)
        if carried or not genuine:
            return row[1], max(row[2], default=0), genuine
    return None


def last_item(settings: Settings, ledger: Connection, slug: str) -> tuple[int, int, bool] | None:
    """(build, decision that it stood on, whether that is as it was written) of the last release that carried the dataset."""
    rows = ledger.execute(
        "select release_id, slug, version, item.state, item.approval_id, item.seal, release.build_id, "
        "release.source_approvals, release.seal from ops.release_item as item join ops.release using (release_id) "
        f"where slug = %s {_ORDER}",
        [slug],
    ).fetchall()
    for row in rows:
        genuine = is_sealed(settings, item_record(*row[:5]), row[5])
        genuine = genuine and is_sealed(settings, release_record(row[0], row[6], row[7]), row[8])
        if row[3] != "held" or not genuine:
            return row[6], row[4] or 0, genuine
    return None
