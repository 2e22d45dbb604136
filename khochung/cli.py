"""The command line: `khochung …`."""

import json
import os
import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from khochung import __version__
from khochung.errors import ConfigurationError, KhoChungError
from khochung.settings import REPOSITORY, TIMEZONE, Settings

if TYPE_CHECKING:
    from rich.console import Console

DEFAULT_AS_OF = "2025-09-30"


class Group(click.Group):
    """Errors that a person can act on are one message, not a traceback; everything else keeps its traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KhoChungError as error:
            click.secho(f"error: {error}", fg="red", err=True)
            sys.exit(1)


def _console() -> "Console":
    """For tables; a pipe has no width of its own."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else 160)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Kho Chung: a province's shared data warehouse and open-data publisher."""
    from khochung import province

    province.recall(Settings.from_environment())


@main.command()
@click.option("--scale", envvar="SCALE", default=0.1, show_default=True, type=click.FloatRange(0.001, 1))
@click.option("--as-of", envvar="AS_OF", default=DEFAULT_AS_OF, show_default=True, type=click.DateTime(["%Y-%m-%d"]))
@click.option("--province", "code", envvar="PROVINCE", help="Code of the province, or of one that it was formed from.")
def run(scale: float, as_of: datetime, code: str | None) -> None:
    """Start the services and run the pipeline to a finished release."""
    from khochung import province
    from khochung import run as running

    began = datetime.now(TIMEZONE)
    settings = Settings.from_environment()
    province.serve(settings, code)
    airflow = running.up(settings, scale, as_of.date())
    running.pipeline(settings, airflow)
    running.summary(settings, began)


@main.command()
def stop() -> None:
    """End the services of `khochung run`."""
    from khochung import services

    services.stop_all(Settings.from_environment())


@main.command()
def bootstrap() -> None:
    """Create or update the warehouse's roles, schemas and bookkeeping, as its administrator."""
    from khochung import warehouse

    warehouse.bootstrap(Settings.from_environment())


@main.command()
@click.confirmation_option(prompt="All keys of people and households change with the next build. Go on?")
def rekey() -> None:
    """Make a new key of the pseudonyms; the old one is lost."""
    from khochung import pseudonym

    settings = Settings.from_environment()
    pseudonym.make(settings)
    click.echo(f"new key in {pseudonym.path(settings)}: the DAG warehouse builds with it at its next wake; back it up")


@main.command()
def pools() -> None:
    """Airflow's pools as JSON, for `airflow pools import`."""
    from khochung import services

    described = {
        name: {"slots": slots, "description": "", "include_deferred": False} for name, slots in services.pools().items()
    }
    click.echo(json.dumps(described, indent=2))


@main.command()
def docs() -> None:
    """Write the data dictionary, the entity diagram, and dbt's documentation of the warehouse as one HTML file."""
    from khochung import diagram, dictionary, transform, warehouse

    settings = Settings.from_environment()
    for path in dictionary.write(REPOSITORY / dictionary.FOLDER):
        click.echo(f"data dictionary: {path}")
    (REPOSITORY / diagram.PAGE).write_text(diagram.page(transform.manifest(settings)), encoding="utf-8")
    click.echo(f"entity diagram: {REPOSITORY / diagram.PAGE}")
    try:
        warehouse.connect(settings, "transformer").close()
    except ConfigurationError as error:
        raise ConfigurationError(
            f"the data dictionary and the diagram are written; dbt's pages need the warehouse: {error}"
        ) from error
    click.echo(f"dbt documentation: {transform.document(settings)}")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="A list of objects.")
def figures(as_json: bool) -> None:
    """Published figures beside the same worked out from records, and which of them contradict each other."""
    from khochung import figures as published

    settings = Settings.from_environment()
    found, unequal = published.figures(settings), published.disagreements(settings)
    if as_json:
        click.echo(json.dumps(published.as_json(found, unequal), indent=2, ensure_ascii=False))
    else:
        _console().print(published.grid(found, unequal))


@main.group()
def source() -> None:
    """Source contracts."""


@source.command("list")
def source_list() -> None:
    """Every declared source and table."""
    from khochung import contract

    for item in contract.sources().values():
        click.echo(f"{item.name} ({item.connector}, {item.owner_agency}): {', '.join(t.name for t in item.tables)}")


def _with_stand_ins() -> Settings:
    """The settings; where `make run` has made stand-in sources, their addresses fill what the environment leaves open."""
    from khochung import services

    settings = Settings.from_environment()
    if (settings.home / "simulator").is_dir():
        os.environ.update(services.source_environment(settings))
    return settings


@source.command("check")
@click.argument("name")
@click.argument("table", required=False)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def source_check(name: str, table: str | None, as_json: bool) -> None:
    """Hold a contract against the source as it is, without loading anything. Status 1 when a load would be blocked."""
    from khochung import check, contract

    declared = contract.source(name)
    checks = list(check.check(_with_stand_ins(), declared, [declared.table(table)] if table else declared.tables))
    if as_json:
        click.echo(check.as_json(checks))
    else:
        _console().print(check.grids(checks))
    sys.exit(1 if any(each.is_blocked for each in checks) else 0)


@source.command("ingest")
@click.argument("name")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Business day; default: the pinned day, or today.")
def source_ingest(name: str, as_of: datetime | None) -> None:
    """Land and load one source without Airflow."""
    from khochung import contract, ingest

    settings = _with_stand_ins()
    declared = contract.source(name)
    day: date = as_of.date() if as_of else settings.business_date()
    for table in declared.tables:
        for origin, counts in ingest.ingest_table(settings, declared, table, day):
            click.echo(f"{name}.{table.name} from {origin}: {counts or 'loaded before'}")


DAY = click.DateTime(["%Y-%m-%d"])


@main.command()
@click.argument("source")
@click.argument("table", required=False)
@click.option("--from", "first", type=DAY, required=True, help="First day (Việt Nam).")
@click.option("--to", "last", type=DAY, required=True, help="Last day.")
def backfill(source: str, table: str | None, first: datetime, last: datetime) -> None:
    """Read days of the past from a source once more, and load them.

    A table with a cursor: the rows last changed on these days. An append table: the files dated from the first day on, also
    those that are loaded. A snapshot table has no days: `khochung source ingest` reads it whole.
    """
    from khochung import contract, ingest

    settings = _with_stand_ins()
    declared = contract.source(source)
    for each in [declared.table(table)] if table else declared.tables:
        if each.load == "snapshot":
            click.echo(f"{source}.{each.name}: a snapshot has no days; khochung source ingest {source} reads it whole")
        for origin, counts in ingest.backfill(settings, declared, each, first.date(), last.date()):
            click.echo(f"{source}.{each.name} ({each.load}) from {origin}: {counts or 'loaded before'}")


@main.command()
@click.argument("source")
@click.argument("table", required=False)
@click.option("--from", "first", type=DAY, help="Catch up: only what was read from this day on and is not loaded.")
@click.option("--to", "last", type=DAY, help="Stop with what was read on this day.")
def replay(source: str, table: str | None, first: datetime | None, last: datetime | None) -> None:
    """Make raw tables anew from landing, without their source: every load in its order, in one transaction a table."""
    from khochung import contract
    from khochung.replay import replay as replayed

    settings = Settings.from_environment()
    declared = contract.source(source)
    for each in [declared.table(table)] if table else declared.tables:
        until = last.date() if last else date.max
        for manifest, counts in replayed(settings, each, first.date() if first else None, until):
            click.echo(f"{source}.{each.name} of {manifest.as_of} from {manifest.origin}: {counts or 'nothing new'}")


@main.command()
@click.option("--agency", help="Name of the agency, or of its folder below internal/agencies/.")
@click.option("--source", help="Name of the source.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def issues(agency: str | None, source: str | None, as_json: bool) -> None:
    """Open data issues by agency, source and code, with their age and trend."""
    from khochung.ops import issues as log

    found = log.summary(Settings.from_environment(), agency, source)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2, default=date.isoformat))
    else:
        _console().print(log.grids(found))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
@click.option(
    "--exit-code", is_flag=True, help="End with 1 when a source or a dataset failed, is late or held; for watchdogs."
)
def status(as_json: bool, exit_code: bool) -> None:
    """What is late, wrong or blocked, by what, and what to do next."""
    from khochung.ops import status as states

    found = states.collect(Settings.from_environment())
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2, default=str))
    else:
        _console().print(states.grids(found))
    if exit_code and found["state"] not in ("ok", "never"):
        raise SystemExit(1)


@main.command()
@click.argument("slug", required=False)
@click.option("--refuse", is_flag=True, help="Decide against it.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def approve(slug: str | None, refuse: bool, as_json: bool) -> None:
    """Decide about a dataset that waits for somebody, in the name of your account; without SLUG: list them."""
    import pwd

    from khochung import approvals

    settings = Settings.from_environment()
    if slug is not None:
        account = pwd.getpwuid(os.getuid()).pw_name
        made = approvals.answer(settings, slug, "refused" if refuse else "approved", account, "command line")
        click.echo(f"{slug}: {made.decision} by {made.decided_by}; the DAG open_data takes note of it at its next wake")
        return
    found = approvals.waiting(settings)
    if as_json:
        click.echo(json.dumps([request.record() for request in found], ensure_ascii=False, indent=2))
    for request in [] if as_json else found:
        click.echo(f"{request.slug}: {request.reason.en}\n  look at {', '.join(request.files)}")


@main.command("backup-identity")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup_identity(file: Path) -> None:
    """Make the key of backups: its secret half goes to FILE, to be kept elsewhere; the public half is printed."""
    from khochung.ops import backup as backups

    click.echo(backups.new_identity(file))


@main.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--recipient", envvar="KHOCHUNG_BACKUP_RECIPIENT", required=True, help="age1…, as backup-identity prints it."
)
def backup(folder: Path, recipient: str) -> None:
    """Keep what cannot be made again, encrypted, in a new folder below FOLDER."""
    from khochung.ops import backup as backups

    click.echo(backups.backup(Settings.from_environment(), folder, recipient, click.echo))


@main.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--identity", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore(folder: Path, identity: Path) -> None:
    """Put the backup in FOLDER into an installation that holds nothing yet, and compare every row."""
    from khochung import services
    from khochung.ops import backup as backups

    settings = Settings.from_environment()
    if settings.warehouse_dsn is None:
        services.start_postgres(settings)
    rows = backups.restore(settings, folder, identity, click.echo)
    click.echo(f"{rows:,} rows are as they were; the next build makes every layer anew: `make run`")


@main.group()
def release() -> None:
    """Releases of open data."""


@release.command("list")
def release_list() -> None:
    """Releases on this machine, newest last."""
    from khochung import release as releases

    for item in releases.list_releases(Settings.from_environment()):
        click.echo("  ".join(f"{key}={value}" for key, value in item.items()))


@release.command("verify")
@click.argument("place", metavar="URL_OR_DIR")
@click.option("--key", help="The publisher's public key: a file, or the key itself in one line.")
def release_verify(place: str, key: str | None) -> None:
    """Check every file of a public tree, or of one version, using nothing but its files and the publisher's key."""
    from khochung.release import remote, signing
    from khochung.release.verify import verify

    trusted = None
    if key:
        trusted = signing.PublicKey.parse(Path(key).read_text(encoding="utf-8") if Path(key).is_file() else key)
    if "://" in place:
        with remote.fetched(place) as folder:
            found = verify(folder, trusted)
    elif Path(place).is_dir():
        found = verify(Path(place).resolve(), trusted)
    else:
        raise click.BadParameter(f"{place} is neither a folder nor an address", param_hint="URL_OR_DIR")
    click.echo(
        f"whole: {found.files} files, {found.bytes:,} bytes, {found.versions} versions, {found.cells:,} cells read"
    )
    if trusted is None:
        click.echo(
            "signed by the key that lies beside it: compare minisign.pub with the key that the publisher printed"
        )


@release.command("withdraw")
@click.argument("slug")
@click.argument("version")
@click.option("--reason-vi", required=True, help="Why, for the public, in Vietnamese.")
@click.option("--reason-en", required=True, help="Why, for the public, in English.")
@click.confirmation_option(prompt="Its bytes will be gone here, and no rollback brings them back. Go on?")
def release_withdraw(slug: str, version: str, reason_vi: str, reason_en: str) -> None:
    """Take one version away from the public, for good; its number never returns."""
    from khochung.release.withdraw import withdraw
    from khochung.strict import Text

    made = withdraw(Settings.from_environment(), slug, version, Text(vi=reason_vi, en=reason_en))
    click.echo(f"{slug} {version} is withdrawn; public is now {made.release_id}")


@release.command("patch")
@click.argument("slug")
@click.argument("version")
@click.option("--reason-vi", required=True, help="Why, for the public, in Vietnamese.")
@click.option("--reason-en", required=True, help="Why, for the public, in English.")
def release_patch(slug: str, version: str, reason_vi: str, reason_en: str) -> None:
    """Correct an old version from the newest build, beside the version in force, which stays."""
    from khochung.release.patch import patch
    from khochung.strict import Text

    made = patch(Settings.from_environment(), slug, version, Text(vi=reason_vi, en=reason_en))
    click.echo(f"{slug} {made.patches[0].version} corrects {version}; public is now {made.release_id}")


@release.command("diff")
@click.argument("slug")
@click.argument("old")
@click.argument("new")
def release_diff(slug: str, old: str, new: str) -> None:
    """What changed between two public versions of a dataset, row by row, as JSON."""
    from khochung.release import diff

    folder = Settings.from_environment().public / "data" / slug / "v"
    tables = [diff.Table.published(folder / version, slug) for version in (old, new)]
    click.echo(json.dumps(diff.rows(*tables), ensure_ascii=False, indent=2))


@release.command("rotate-key")
@click.confirmation_option(prompt="The next release is signed with a new key. Go on?")
def release_rotate_key() -> None:
    """A new key for signatures, vouched for by the old one."""
    from khochung.release import signing

    settings = Settings.from_environment()
    new, old = signing.rotate(settings)
    click.echo(f"new public key: {new.public.line}")
    click.echo(f"vouched for by {old.public.name}" if old else "the old key is lost: tell its users yourself")
    if os.environ.get(signing.VARIABLE):
        click.echo(f"put this into {signing.VARIABLE}, then release: {new.seed.hex()}")


@release.command("rollback")
@click.argument("release_id")
def release_rollback(release_id: str) -> None:
    """Put an earlier release back in front of the public."""
    from khochung import release as releases

    click.echo(f"public is now {releases.rollback(Settings.from_environment(), release_id).release_id}")


@main.command()
@click.argument("public_dir", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def attack(public_dir: Path, as_json: bool) -> None:
    """Try to learn what was withheld, knowing nothing but a public tree. Status 1 when anything was learnt."""
    from khochung.disclosure.attack import attack as attacked

    found = attacked(public_dir.resolve())
    if as_json:
        click.echo(json.dumps(found.record(), ensure_ascii=False, indent=2))
    else:
        for line in found.lines():
            click.echo(line)
    sys.exit(1 if found.leaks else 0)


if __name__ == "__main__":
    main()
