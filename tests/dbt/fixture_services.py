"""Electronic identity and payments of the hand-made province."""

from collections.abc import Iterator
from typing import Any

Row = dict[str, Any]


def identity() -> Iterator[tuple[str, Row]]:
    """Phường 1 until June 2025 and Phường Long An since, two reports each; one of a commune that there is not."""
    for code, day, eligible, level_2 in (
        ("27694", "27/05/2025", "8.000", "6.000"),
        ("27694", "27/06/2025", "8.100", "6.200"),
        ("27694", "27/08/2025", "30.000", "24.000"),
        ("27694", "27/09/2025", "30.100", "25.000"),
        ("99999", "27/09/2025", "100", "50"),
    ):
        yield "commune_report", {
            "commune_code": code, "commune_name": "Phường 1", "reported_on": day, "eligible": eligible, "level_1": "1.000",
            "level_2": level_2,
        }  # fmt: skip


def payments() -> Iterator[tuple[str, Row]]:
    """Twelve payments of August 2025 for dossiers, one try that failed, one paid back, one for no dossier at all."""
    for number in range(1, 16):
        status = {13: "TB", 14: "HT"}.get(number, "TC")
        code = "H39.12-20250804-9999999" if number == 15 else f"H39.12-20250804-{number:07}"
        yield "payment", {
            "payment_id": f"GD{number}", "dossier_code": code, "payer_name": "Võ An", "channel_code": "1",
            "status_code": status, "amount_vnd": "20000", "paid_at": "20250804090500",
            "updated_at": "2025-08-04 09:05+07",
        }  # fmt: skip
