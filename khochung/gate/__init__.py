"""The gate: runs reviewed suites over tables, records verdicts, and says what may go out.

A suite is a JSON file under `expectations/`; Great Expectations evaluates it in SQL, inside the warehouse. The verdict is a
sealed row of `ops.verdict` for one build, one code, one suite and, of a dataset, the very rows. Results hold counts, never
values. How a dataset comes to be held: docs/gate.md.
"""

from khochung.gate.judging import judge, judge_datasets, judge_sources
from khochung.gate.suites import (
    Expectation,
    Severity,
    Subject,
    Suite,
    dataset_subjects,
    read_suite,
    source_subjects,
    suite_sha256,
    warehouse_subjects,
)
from khochung.gate.verdicts import Verdict

__all__ = [
    "Expectation",
    "Severity",
    "Subject",
    "Suite",
    "Verdict",
    "dataset_subjects",
    "judge",
    "judge_datasets",
    "judge_sources",
    "read_suite",
    "source_subjects",
    "suite_sha256",
    "warehouse_subjects",
]
