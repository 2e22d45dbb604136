"""A docroot in the making: versions carried over, tombstones, catalogue and pages, public keys, signed checksums."""

import json
from collections.abc import Mapping
from html import escape
from pathlib import Path

from khochung import portal
from khochung.release import catalogue, feeds, files, signing, version
from khochung.release.catalogue import Announcement, Entry, Site, VersionFact, Withdrawn
from khochung.release.describe import json_bytes
from khochung.release.plan import Job, Plan

TOMBSTONE = "tombstone.json"
KEYS = "keys"
PUBLIC_KEY = "minisign.pub"
Indexes = Mapping[str, tuple[tuple[VersionFact, ...], Announcement | None]]


def indexes(root: Path) -> dict[str, tuple[tuple[VersionFact, ...], Announcement | None]]:
    """By dataset, also of those that are no longer declared: the versions, newest first, and what is announced."""
    found = {}
    for path in sorted(root.glob("data/*/versions.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        announced = content["upcoming"]
        versions = tuple(VersionFact.parse(record) for record in content["versions"])
        found[content["dataset"]] = versions, Announcement.parse(announced) if announced else None
    return found


def carry(standing: Path, fresh: Path, carried: Indexes) -> None:
    """Hard links to every version of the release before that `carried` does not call withdrawn, and their indexes."""
    for slug, (versions, announced) in carried.items():
        place = fresh / "data" / slug
        for fact in versions:
            if fact.withdrawn is None:
                files.link_tree(standing / "data" / slug / "v" / fact.version, place / "v" / fact.version)
            else:
                _bury(place / "v" / fact.version, slug, fact)
        index = catalogue.versions_json(slug, versions, announced)
        files.write(place / "versions.json", json_bytes(index))
    if (standing / KEYS).is_dir():
        files.link_tree(standing / KEYS, fresh / KEYS)


def _bury(folder: Path, slug: str, fact: VersionFact) -> None:
    """What stands in the place of a withdrawn version: that it was, and why, in both languages."""
    if fact.withdrawn is None:
        return
    record = {"dataset": slug, "version": fact.version, "withdrawn": fact.withdrawn.record()}
    files.write(folder / TOMBSTONE, json_bytes(record))
    reason, day = fact.withdrawn.reason, fact.withdrawn.on
    page = f"""<!doctype html>
<html lang="vi">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>{escape(slug)} {fact.version}: đã thu hồi / withdrawn</title></head>
<body><main>
<h1>{escape(slug)} {fact.version}</h1>
<p>Phiên bản này đã được thu hồi ngày {day:%d/%m/%Y}. Lý do: {escape(reason.vi)}</p>
<p lang="en">This version was withdrawn on {day.isoformat()}. Reason: {escape(reason.en)}</p>
<p><a href="/data/{slug}/versions.json">versions.json</a> · <a href="/index.html">/</a></p>
</main></body></html>
"""
    files.write(folder / "index.html", page.encode())


def build(job: Job, tree: Path, plans: list[Plan], carried: Indexes, site: Site) -> tuple[list[Plan], Site]:
    """Fill `tree`: old versions, new ones, and all that is said about them. Returns what came of the plans."""
    if job.standing:
        carry(job.standing.tree, tree, carried)
    finished = [version.write(job, tree, plan) for plan in plans]
    gone = [
        Withdrawn(slug, fact.version, fact.withdrawn.on, fact.withdrawn.reason)
        for slug, (versions, _) in carried.items()
        for fact in versions
        if fact.withdrawn
    ]
    made = catalogue.with_entries(site, tuple(_entry(plan) for plan in finished), tuple(gone))
    _write_around(job, tree, made, finished)
    return finished, made


def _entry(plan: Plan) -> Entry:
    path = f"/data/{plan.dataset.slug}/quality.json" if plan.report else None
    public = tuple(fact for fact in plan.versions if not fact.withdrawn)
    gone = tuple(fact for fact in plan.versions if fact.withdrawn)
    return Entry(plan.dataset, public, plan.held, plan.checks, path, plan.upcoming, gone)


def _write_around(job: Job, tree: Path, site: Site, plans: list[Plan]) -> None:
    """The newest verdicts, the catalogue, the pages, `latest/`, the public keys, and the signed list of all checksums."""
    for plan in plans:
        if plan.report:
            files.write(tree / "data" / plan.dataset.slug / "quality.json", json_bytes(plan.report))
    # The carried indexes are of the release before: those of declared datasets are written anew.
    for path, data in (catalogue.documents(site) | feeds.documents(site)).items():
        (tree / path).unlink(missing_ok=True)
        files.write(tree / path, data)
    # Pages that would come out the same as in the standing release are linked.
    portal.write(site, tree, job.standing.tree if job.standing else None)
    for index in sorted(tree.glob("data/*/versions.json")):
        latest = json.loads(index.read_text(encoding="utf-8"))["latest"]
        if latest:
            files.link_tree(index.parent / "v" / latest, index.parent / "latest")
    files.write(tree / PUBLIC_KEY, job.key.public.text.encode())
    for name, data in signing.public_files(job.settings).items():
        if not (tree / KEYS / name).exists():
            files.write(tree / KEYS / name, data)
    sums = files.checksums(tree)
    files.write(tree / files.SUMS, sums)
    files.write(tree / files.SIGNATURE, job.key.sign(sums, comment(site.release_id)))


def comment(release_id: str) -> str:
    """The trusted comment of the signature over a whole release."""
    return f"khochung release:{release_id}"
