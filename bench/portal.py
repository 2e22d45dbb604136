"""The portal at the size of a country's catalogue: 2,000 datasets and 96 communes in two languages; answers to key presses."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figure, figure
from khochung import portal
from khochung.release.catalogue import Site
from khochung.settings import PROJECT, Settings
from tests.portal import sample

DATASETS, COMMUNES = 2000, 96
SECONDS, MILLISECONDS = 60, 50
SCRIPTS = PROJECT / "portal_src"


def figures(settings: Settings) -> Iterator[Figure]:
    """Seconds of a whole site, and of the release after it in which one dataset changed, against what was promised."""
    del settings  # nothing but folders of its own
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder, "first"), Path(folder, "second")
        declared = sample.copies(DATASETS)
        whole, made, _ = _write(sample.make(first, declared, formats=("csv",), communes=COMMUNES), first, None)
        yield figure(f"portal: {made:,} pages", "s", whole, SECONDS, "limit", 1, at_most=True)
        site = sample.make(second, declared, formats=("csv",), communes=COMMUNES)
        changed = sample.add_version(second, site, "sinh-tu-theo-thang")
        part, made, linked = _write(changed, second, first)
        yield figure(f"portal: {made} pages, {linked:,} linked", "s", part, whole, "whole site", 0.1, at_most=True)
        if shutil.which("node") and (SCRIPTS / "node_modules").exists():
            yield figure("portal: first results", "ms", _answers(first), MILLISECONDS, "limit", 1, at_most=True)


def _write(site: Site, tree: Path, standing: Path | None) -> tuple[float, int, int]:
    began = time.perf_counter()
    made, linked = portal.write(site, tree, standing)
    return time.perf_counter() - began, made, linked


def _answers(tree: Path) -> float:
    """Milliseconds of the slowest of a person's key presses, the median of several rounds, in Node's engine."""
    index = tree / "api/v1/search.vi.json"
    run = subprocess.run(["node", "bench.mjs", str(index)], cwd=SCRIPTS, capture_output=True, text=True, check=True)
    return float(run.stdout)
