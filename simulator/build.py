"""Builds what a simulated day needs: records for HTTP, file drops, the land database, the defect list."""

import hashlib
import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from simulator import NOTICE, NOTICE_VI, defects, drops, landdb, province, store, units
from simulator.clock import HORIZON, START
from simulator.columns import day_number
from simulator.delivery import Table, chunks
from simulator.layouts import Layout
from simulator.world import (
    business,
    civil,
    digital,
    documents,
    dossiers,
    finance,
    hotline,
    identity,
    insurance,
    land,
    payments,
    people,
    procedures,
    residents,
)

ROOT = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Settings:
    """What determines the world, and where it goes."""

    home: Path
    scale: float
    as_of: str
    seed: int
    land_dsn: str | None = None
    province: str = province.DEFAULT

    @property
    def world_key(self) -> str:
        """Province, seed, scale and code: the same world, whatever the day."""
        digest = hashlib.sha256(f"{self.province}|{self.seed}|{self.scale}".encode())
        for path in sorted([*ROOT.rglob("*.py"), *ROOT.rglob("data/**/*.csv"), *ROOT.rglob("data/**/*.toml")]):
            digest.update(path.read_bytes())
        return digest.hexdigest()[:12]

    @property
    def cache(self) -> Path:
        """Folder of the serialised day."""
        return self.home / "cache" / f"{self.world_key}-{self.as_of}"


@dataclass(frozen=True)
class World:
    """The tables of all sources."""

    streamed: list[Table]
    agency: procedures.AgencyTable
    procedure: procedures.ProcedureTable
    land: list[Table]
    places: business.Places
    enterprise: business.EnterpriseTable
    enterprise_event: business.EnterpriseEvents
    household: business.HouseholdBusinesses
    more: list[Table]
    """Of the sources in `simulator/wire/`; where they go follows from their layouts."""


class Progress:
    """One line per stage on standard output."""

    def __init__(self) -> None:
        self.started = time.monotonic()

    def say(self, text: str) -> None:
        """Print a stage with the seconds since the start."""
        print(f"simulator {time.monotonic() - self.started:7.1f} s  {text}", flush=True)


def generate(seed: int, scale: float, code: str = province.DEFAULT) -> World:
    """The whole world up to the horizon."""
    u = units.load(code)
    folk = people.generate(seed, scale, u)
    firms = business.generate(seed, scale, u, folk)
    places = business.Places(u)
    parcels = land.generate(seed, scale, u)
    listed, offices = procedures.catalogue(seed, u.of), procedures.agencies(u)
    cases = dossiers.generate(seed, scale, u, listed, offices, folk, firms)
    filed = dossiers.DossierTable(cases, u, listed, offices, folk, firms)
    return World(
        streamed=[
            residents.Residents(folk, u),
            residents.Events(seed, folk, u),
            filed,
        ],
        agency=procedures.AgencyTable(offices),
        procedure=procedures.ProcedureTable(listed),
        land=[
            land.ParcelTable(parcels, u),
            land.UseTable(seed, parcels),
            land.RightTable(seed, parcels, folk, firms, u),
        ],
        places=places,
        enterprise=business.EnterpriseTable(firms, folk, u, places),
        enterprise_event=business.EnterpriseEvents(seed, firms, u, places),
        household=business.HouseholdBusinesses(seed, scale, folk, u),
        more=[
            *insurance.tables(seed, scale, u),
            *civil.tables(seed, u, folk),
            *finance.tables(seed, u),
            digital.teams(seed, u),
            digital.enterprises(seed, u),
            *hotline.tables(seed, u, offices, folk),
            *documents.tables(seed, scale, u, offices, folk),
            *identity.tables(seed, u),
            *payments.tables(seed, filed),
        ],
    )


def stem(cache: Path, layout: Layout) -> Path:
    """Stem of the cache files of a table."""
    return cache / layout.identifier


def is_ready(settings: Settings) -> bool:
    """True when this very day is already built, the land database included."""
    needed = [settings.cache / "ready.json", settings.home / "drops", settings.home / "injected_defects.csv"]
    if not all(path.exists() for path in needed):
        return False
    return settings.land_dsn is None or landdb.is_current(settings.land_dsn, settings.cache.name)


def build(settings: Settings) -> None:
    """Build the day unless the cache has it. Raises ValueError for a day outside the world."""
    as_of = day_number(settings.as_of)
    if not START <= as_of <= HORIZON:
        raise ValueError(f"as-of {settings.as_of}: the world runs from 2023-07-01 to 2026-12-31")
    progress = Progress()
    if is_ready(settings):
        progress.say(f"cache of {settings.as_of} reused")
        return
    world = generate(settings.seed, settings.scale, settings.province)
    progress.say(f"world of scale {settings.scale:g} generated")
    partial = settings.home / "cache" / "partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    counts: dict[str, int] = {}
    found = _records(partial, world, as_of, counts, progress)
    found += _drops(settings, world, as_of, progress)
    if settings.land_dsn:
        rows, spoiled = landdb.build(settings.land_dsn, world.land, as_of, settings.cache.name)
        counts |= rows
        found += spoiled
        progress.say("land database: " + ", ".join(f"{n} {c}" for n, c in rows.items()))
    defects.write(settings.home / "injected_defects.csv", found)
    (partial / "ready.json").write_text(json.dumps(counts))
    shutil.rmtree(settings.cache, ignore_errors=True)
    partial.rename(settings.cache)
    for other in settings.cache.parent.iterdir():
        if other != settings.cache:
            shutil.rmtree(other)
    progress.say(f"ready: {len(found)} defects injected")


def _records(folder: Path, world: World, as_of: int, counts: dict[str, int], progress: Progress) -> defects.Found:
    found: defects.Found = []
    for snapshot in (world.agency, world.procedure):
        layout = snapshot.layout
        counts[layout.table] = store.write_records(stem(folder, layout), layout, snapshot.records(as_of))
    for table in [*world.streamed, *(table for table in world.more if "/" in table.layout.path)]:
        layout = table.layout
        count, spoiled = store.write_chunks(stem(folder, layout), layout, chunks(table, as_of))
        counts[layout.table] = count
        found += spoiled
        progress.say(f"{layout.source}.{layout.table}: {count} records")
    return found


def _drops(settings: Settings, world: World, as_of: int, progress: Progress) -> defects.Found:
    """Dated files are added to those of earlier days, unless another world wrote them."""
    folder, mark = settings.home / "drops", settings.home / "world_key"
    drops.remove_later(folder, as_of)
    if not mark.exists() or mark.read_text() != settings.world_key:
        shutil.rmtree(folder, ignore_errors=True)
    mark.write_text(settings.world_key)
    drops.place_file(folder / "LUU_Y.txt", f"{NOTICE_VI}\n{NOTICE}\n".encode())
    drops.write_admin(folder / "admin", as_of, province.load(settings.province))
    target = folder / "business"
    drops.write_places(target, world.places, as_of)
    found = drops.write_list(target, world.enterprise, as_of)
    found += drops.write_list(target, world.enterprise_event, as_of)
    found += drops.write_households(target, world.household, as_of)
    for table in world.more:
        if "/" not in table.layout.path:
            found += drops.write_list(folder / table.layout.source, table, as_of)
    progress.say(f"file drops: {sum(1 for _ in folder.rglob('*_*'))} files")
    return found
