"""From a judged build to the public tree, and the record that this build has been through the gate."""

from khochung import approvals, transform, warehouse
from khochung.release.publish import publish
from khochung.settings import Settings


def release_build(settings: Settings, build_id: int) -> list[str]:
    """Release what passed of build `build_id`. Returns one line per held dataset; the others are public.

    A dataset under embargo is not among the held: it is tried again when the embargo ends, without a new build. Safe to
    repeat: a build that is public already changes nothing.
    """
    build = transform.current(settings, build_id)
    for slug in approvals.demonstrate(settings):
        print(f"{slug}: approved for demonstration; nobody has looked at it")
    release = publish(settings, build_id, build.as_of)
    held = [f"{item.slug}: {item.reason}" for item in release.items if item.state == "held" and not item.until]
    again_at = min((item.until for item in release.items if item.until), default=None)
    for item in release.items:
        print(f"{item.slug} {item.version or '-'}: {item.state}" + (f" ({item.reason})" if item.reason else ""))
    with warehouse.connect(settings, "operator") as connection:
        connection.execute(
            "insert into ops.publication (build_id, release_id, held, again_at) values (%s, %s, %s, %s) "
            "on conflict (build_id) do update set release_id = excluded.release_id, held = excluded.held, "
            "again_at = excluded.again_at, published_at = clock_timestamp()",
            [build_id, release.release_id, held, again_at],
        )
    return held
