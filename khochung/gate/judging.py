"""Judging: every subject of a kind against its suite, one recorded verdict each."""

import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from khochung import contract, transform, warehouse
from khochung.errors import GateError
from khochung.gate import pages, verdicts
from khochung.gate.engine import Engine
from khochung.gate.suites import Subject, dataset_subjects, read_suite, source_subjects, warehouse_subjects
from khochung.gate.verdicts import Verdict
from khochung.settings import Settings


def judge_sources(
    settings: Settings,
    build_id: int,
    *,
    catalogue: Mapping[str, contract.Source] | None = None,
    folder: Path | None = None,
) -> list[Verdict]:
    """Judge every source table as the transformer sees it, and record a verdict for each.

    Raises GateError after all others were judged when a suite is missing, empty or malformed.
    """
    found = judge(settings, build_id, "transformer", source_subjects(settings, catalogue, folder))
    pages.write(settings)
    return found


def judge_datasets(
    settings: Settings,
    build_id: int,
    *,
    catalogue: Mapping[str, contract.Dataset] | None = None,
    folder: Path | None = None,
) -> list[Verdict]:
    """Hold the warehouse's tables against each other, then judge every dataset as the publisher sees it.

    `folder`: that of the datasets' suites; `warehouse/` stands beside it. Records a verdict for each topic and dataset.
    Raises as `judge_sources`, and when a dataset changed while it was judged.
    """
    place = folder or settings.expectations / "open_data"
    datasets = dataset_subjects(settings, catalogue, place)
    before = _fingerprints(settings, datasets)
    topics = warehouse_subjects(place.parent / "warehouse")
    found = judge(settings, build_id, "transformer", topics) if topics else []
    found += judge(settings, build_id, "publisher", datasets, before)
    pages.write(settings)
    changed = [name for name, rows in _fingerprints(settings, datasets).items() if rows != before[name]]
    if changed:
        raise GateError(
            f"{', '.join(changed)} changed while being judged: nothing else may build meanwhile; judge again"
        )
    return found


def judge(
    settings: Settings,
    build_id: int,
    role: warehouse.Role,
    subjects: Iterable[Subject],
    rows: Mapping[str, str | None] | None = None,
) -> list[Verdict]:
    """One verdict per subject, each committed on its own, so that one bad suite does not hold up the rest.

    `rows`: the fingerprint of what is judged, by subject.
    """
    found: list[Verdict] = []
    refused: list[str] = []
    code = transform.code_sha256()
    with Engine(settings, role) as engine, warehouse.connect(settings, "operator", autocommit=True) as ledger:
        for subject in subjects:
            try:
                suite = read_suite(subject.suite, subject.name)
            except GateError as error:
                refused.append(str(error))
                continue
            started = time.monotonic()
            results = engine.evaluate(subject, suite)
            seconds = time.monotonic() - started
            verdict = verdicts.pronounce(subject, build_id, code, results, seconds, (rows or {}).get(subject.name))
            found.append(verdicts.record(settings, ledger, verdict))
    if refused:
        raise GateError(f"{len(refused)} of {len(refused) + len(found)} suites cannot be used:\n" + "\n".join(refused))
    if not found:
        raise GateError("nothing was judged: no contract table or dataset is declared")
    return found


def _fingerprints(settings: Settings, subjects: list[Subject]) -> dict[str, str | None]:
    with warehouse.connect(settings, "publisher") as connection:
        return {
            subject.name: verdicts.fingerprint(connection, subject.schema, subject.relation) for subject in subjects
        }
