"""Petitions of the hand-made province, each there for a reason."""

from collections.abc import Iterator
from typing import Any

Row = dict[str, Any]
FIELD, CATEGORY = "f" * 24, "c" * 24
PLACES = ({"id": "a", "name": "Tỉnh Long An"}, {"id": "b", "name": "Thành phố Tân An"}, {"id": "c", "name": "Phường 1"})
AGENCY = "H39.12"


def petition(number: int, **changes: Any) -> tuple[str, Row]:
    """A report of 4 March 2024, 08:00 in Việt Nam, from Phường 1 of Tân An, promised for the 7th and answered on the 6th."""
    row = {
        "petition_id": f"{number:024x}", "kind_code": "HT", "category_id": CATEGORY, "title": "Phản ánh: Rác thải",
        "description": "Tôi là Võ An, điện thoại 0901234567", "reporter_name": "Võ An", "place_id": "c",
        "channel_code": "TD", "agency_code": AGENCY, "status_code": "5", "received_at": "2024-03-04T01:00:00.000+0000",
        "due_at": "2024-03-07T10:00:00.000+0000", "answered_at": "2024-03-06T02:00:00.000+0000",
        "published_at": "2024-03-07T02:00:00.000+0000", "satisfaction_code": "1", "reminders": "0", "is_public": "true",
        "is_anonymous": "false", "updated_at": "2024-03-07 09:00+07",
    }  # fmt: skip
    return "petition", row | changes


def hotline() -> Iterator[tuple[str, Row]]:
    """Thirty reports, one of them late; one that is of 1 April here and of 31 March in UTC; one told twice; two on officials."""
    yield "category", {"category_id": FIELD, "category_name": "Môi trường", "field_code": "MT"}
    yield "category", {"category_id": CATEGORY, "parent_id": FIELD, "category_name": "Rác thải"}
    above = [None, "a", "b"]
    for kind, place in enumerate(PLACES):
        yield (
            "place",
            {
                "place_id": place["id"],
                "parent_id": above[kind],
                "type_code": str(kind + 1),
                "place_name": place["name"],
            },
        )
    for number in range(1, 30):
        yield petition(number)
    yield petition(30, answered_at="2024-03-08T02:00:00.000+0000", satisfaction_code="3")
    april = {"received_at": "2024-03-31T18:00:00.000+0000", "due_at": None, "answered_at": None, "published_at": None}
    yield petition(31, **april, status_code="3", satisfaction_code=None)
    yield petition(32, status_code="7", due_at=None, answered_at=None, published_at=None, satisfaction_code=None)
    yield petition(33, kind_code="QD")
    yield petition(34, kind_code="HV", reminders="2")
    yield petition(35, place_id="d")  # no place of the platform
    yield petition(36, status_code="Không rõ")  # quarantined
