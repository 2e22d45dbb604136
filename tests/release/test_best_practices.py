"""The table of best practices in docs/ says what a release shows."""

import re
from pathlib import Path

from khochung.settings import REPOSITORY
from tests.toy_warehouse import Toy

ROW = re.compile(r"\| (\d+) \| [^|]+ \| (yes|no|–) \| ([^|]+) \|")


def test_every_practice_has_its_evidence_in_a_release(toy: Toy) -> None:
    toy.release()
    text = (REPOSITORY / "docs" / "data-on-the-web.md").read_text(encoding="utf-8")
    rows = ROW.findall(text)
    assert [int(number) for number, _, _ in rows] == list(range(1, 36))
    met = [evidence for _, is_met, evidence in rows if is_met == "yes"]
    assert len(met) >= 30 and f"{len(met)} are met" in text
    public: Path = toy.settings.public
    for evidence in met:
        addresses = re.findall(r"`(/[^`]+)`", evidence)
        assert addresses, evidence
        for address in addresses:
            path = address.format(slug="don-vi-thu", version="2025.9.0").lstrip("/")
            assert (public / path).is_file(), address
