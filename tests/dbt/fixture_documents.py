"""Documents, accounts and certificates of the hand-made province, each there for a reason."""

from collections.abc import Iterator
from typing import Any

from psycopg.types.json import Jsonb

Row = dict[str, Any]
DEPARTMENT, COMMUNE = "H39.12", "H39.31.1"


def documents() -> Iterator[tuple[str, Row]]:
    """Of March 2024: ten of a department, one unsigned, some under the former form of its code; two of a commune, one on
    paper; one of nobody. A report of each. Three mail accounts, two of them used, and one of the document system."""
    for number in range(10):
        former = number % 2 == 0
        yield "header", {
            "document_id": f"VB{number}", "sender_code": "000.00.12.H39" if former else DEPARTMENT,
            "recipients": Jsonb({"OrganId": "H39"} if former else [{"OrganId": "H39"}]), "promulgated_on": "2024-03-04",
            "type_code": "CV", "subject": "V/v đơn của Võ An", "signer_name": "Võ An", "form_code": "DT",
            "signature_code": "0" if number == 9 else "3", "updated_at": "2024-03-04 09:00+07",
        }  # fmt: skip
    for number, (sender, form) in enumerate([(COMMUNE, "DT"), (COMMUNE, "GIAY"), ("H99", "DT")], start=10):
        yield "header", {
            "document_id": f"VB{number}", "sender_code": sender, "promulgated_on": "2024-03-05", "type_code": "QĐ",
            "form_code": form, "signature_code": "3", "updated_at": "2024-03-05 09:00+07",
        }  # fmt: skip
    for unit, handled, online in ((DEPARTMENT, "1.000", "920"), (COMMUNE, "200", "198")):
        yield (
            "work_month",
            {"unit_code": unit, "month_start": "01/03/2024", "handled": handled, "handled_online": online},
        )
        kind = "XA" if unit == COMMUNE else "SO"
        yield "unit", {
            "unit_code": unit, "unit_name": unit, "kind_code": kind, "established_on": "01/01/2021", "joined_on": "05/02/2021",
        }  # fmt: skip
    for number, (system, used) in enumerate([("THU", True), ("THU", True), ("THU", False), ("QLVB", True)]):
        yield "account", {
            "account_id": f"TK{number}", "system_code": system, "unit_code": DEPARTMENT, "holder_name": "Võ An",
            "opened_on": "05/02/2024", "first_used_on": "06/02/2024" if used else None,
        }  # fmt: skip


def signatures() -> Iterator[tuple[str, Row]]:
    """Three certificates: one in force, one revoked in May 2024, one over before."""
    terms = [
        ("05/03/2023", "04/03/2028", None),
        ("05/03/2023", "04/03/2028", "20/05/2024"),
        ("05/03/2021", "04/03/2024", None),
    ]
    for number, (first, last, revoked) in enumerate(terms):
        yield "certificate", {
            "serial_no": f"54{number}", "subject_code": "CN", "unit_code": DEPARTMENT, "holder_name": "Võ An",
            "valid_from": first, "valid_to": last, "revoked_on": revoked,
        }  # fmt: skip
