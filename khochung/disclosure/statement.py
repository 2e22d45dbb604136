"""What the public is told of the protection of a dataset."""

from typing import Any

from khochung.contract import Dataset, Disclosure
from khochung.disclosure import noise
from khochung.disclosure.screen import Screening
from khochung.strict import Text

UNITS: dict[str, Text] = {
    "person": Text(vi="người", en="persons"),
    "business": Text(vi="cơ sở kinh doanh", en="businesses"),
    "parcel": Text(vi="thửa đất", en="parcels"),
    "dossier": Text(vi="hồ sơ", en="dossiers"),
    "petition": Text(vi="phản ánh, kiến nghị", en="petitions"),
}


def note(dataset: Dataset) -> Text:
    """A sentence for people about the policy of a dataset."""
    policy = dataset.disclosure
    if policy.reason is not None:
        return policy.reason
    unit = UNITS[policy.unit]
    if policy.method == "dominance":
        return Text(
            vi="Số liệu của ít hơn ba chủ, hoặc do một chủ chi phối, được để trống, cùng những ô che cho chúng.",
            en="Values of fewer than three holders, or dominated by one, are left empty, with cells that hide them.",
        )
    largest = noise.table().largest
    return Text(
        vi=f"Số {unit.vi} được cộng nhiễu từ -{largest} đến {largest}, cùng một ô luôn cùng một nhiễu; ô có dưới "
        f"{policy.threshold} {unit.vi} để trống.",
        en=f"Counts of {unit.en} carry noise from -{largest} to {largest}, the same cell always the same; cells of "
        f"fewer than {policy.threshold} are left empty.",
    )


def parameters(policy: Disclosure) -> dict[str, Any]:
    """What may be known of the noise without weakening it. How far a value may be told stays unsaid."""
    if policy.method != "cell_key":
        return {}
    table = noise.table()
    return {
        "largest_noise": table.largest,
        "variance_of_noise": round(table.variance, 4),
        "mean_size_of_noise": round(table.mean_size, 4),
    }


def audited(screening: Screening) -> dict[str, Any]:
    """The verdict of the joint audit and what protection has cost; and the rules in a form that programs read."""
    rules = {"rules": screening.rules.record()}
    if not screening.rules.protects:
        return rules
    noise_ = noise.table() if screening.rules.method == "cell_key" else None
    return {
        "audit": {
            "passed": screening.passed,
            "cells_considered": screening.cells,
            "withheld_cells_considered": screening.withheld,
            "cells_inferred": len(screening.leaks),
        },
        "utility": (screening.utility.record() if screening.utility else {})
        | {
            "mean_size_of_noise": round(noise_.mean_size, 4) if noise_ else 0,
            "sums_compared": screening.sums,
            "largest_difference_of_sums": screening.largest_difference,
        },
    } | rules
