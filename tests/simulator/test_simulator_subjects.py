"""The later sources: what they are calibrated to, and that times and days fit."""

from simulator_home import Row, delivered

from simulator.build import World
from simulator.delivery import Table


def table(world: World, source: str, name: str) -> Table:
    return next(one for one in world.more if (one.layout.source, one.layout.table) == (source, name))


def hotline(world: World) -> list[Row]:
    """Reports from the spot of the first part of the province."""
    rows = delivered(table(world, "hotline", "petition"))
    return [
        row
        for row in rows
        if row["kind_code"] == "HT" and row["status_code"] != "7" and str(row["agency_code"]).startswith("H39")
    ]


def test_reports_of_the_hotline_are_calibrated_whatever_the_scale(world: World) -> None:
    rows = hotline(world)
    window = [row for row in rows if "2023-12-31T17" <= str(row["received_at"]) < "2024-11-06T17"]
    before = [row for row in rows if str(row["received_at"]) < "2023-12-31T17"]
    assert (len(before), len(window)) == (2_395, 2_560)
    answered = [row for row in rows if "2023-12-31T17" <= str(row["answered_at"]) < "2024-11-06T17"]
    answered = [row for row in answered if row["status_code"] in ("4", "5")]
    in_time = sum(str(row["answered_at"]) <= str(row["due_at"]) for row in answered)
    assert abs(in_time / len(answered) - 0.93) < 0.001


def test_places_of_the_hotline_have_no_code_and_a_way_up(world: World) -> None:
    places = {row["place_id"]: row for row in delivered(table(world, "hotline", "place"))}
    communes = [row for row in places.values() if row["type_code"] == "3"]
    assert len(communes) == 282 + 96
    assert all(places[row["parent_id"]]["type_code"] in ("1", "2") for row in communes)
    named = {row["place_id"] for row in places.values()}
    told = [row["place_id"] for row in delivered(table(world, "hotline", "petition")) if row["place_id"]]
    assert sum(place not in named for place in told) < 0.01 * len(told)


def of_first_part(rows: list[Row], column: str) -> list[Row]:
    return [row for row in rows if str(row[column]).split(".")[0] == "H39" or str(row[column]).endswith(".H39")]


def test_documents_of_the_first_quarter_are_calibrated(world: World) -> None:
    rows = of_first_part(delivered(table(world, "documents", "header")), "sender_code")
    quarter = [row for row in rows if "2024-01-01" <= str(row["promulgated_on"]) <= "2024-03-31"]
    upper = [row for row in quarter if str(row["sender_code"]).startswith("000.00.")]
    assert len(upper) == round(33_557 * 0.01)
    assert {row["form_code"] for row in upper} == {"DT"}
    assert len(quarter) - len(upper) == 200


def test_certificates_and_accounts_are_calibrated_whatever_the_scale(world: World) -> None:
    rows = of_first_part(delivered(table(world, "signatures", "certificate")), "unit_code")

    def day(text: str | None) -> str:
        return "".join(reversed(str(text).split("/"))) if text else "9"

    for on, count in (("20240513", 4_938), ("20241231", 6_265)):
        in_force = [r for r in rows if day(r["valid_from"]) <= on <= day(r["valid_to"]) and on < day(r["revoked_on"])]
        assert len(in_force) == count, on
    accounts = of_first_part(delivered(table(world, "documents", "account")), "unit_code")
    open_then = [row for row in accounts if day(row["opened_on"]) <= "20241231"]
    mail = [row for row in open_then if row["system_code"] == "THU"]
    assert (len(open_then) - len(mail), len(mail)) == (9_350, 4_512)
    assert round(100 * sum(day(row["first_used_on"]) <= "20241231" for row in mail) / len(mail)) == 92


def test_work_online_is_as_reported(world: World) -> None:
    rows = of_first_part(delivered(table(world, "documents", "work_month")), "unit_code")
    rows = [row for row in rows if str(row["month_start"]).endswith("2024")]
    for dots, share in ((1, 92), (2, 99)):
        level = [row for row in rows if str(row["unit_code"]).count(".") == dots]
        if dots == 1:
            level = [row for row in level if int(str(row["unit_code"]).split(".")[1]) <= 30]
        handled, online = (sum(int(str(r[c]).replace(".", "")) for r in level) for c in ("handled", "handled_online"))
        assert abs(100 * online / handled - share) < 0.5


def test_every_commune_reports_its_accounts_each_month(world: World) -> None:
    rows = delivered(table(world, "identity", "commune_report"))
    days = {row["reported_on"]: [r for r in rows if r["reported_on"] == row["reported_on"]] for row in rows}
    assert {len(days[day]) for day in ("27/06/2025", "27/07/2025")} == {280, 96}

    def people(day: str) -> int:
        return sum(int(str(row["eligible"]).replace(".", "")) for row in days[day])

    assert abs(people("27/07/2025") / people("27/06/2025") - 1) < 0.002


def test_payments_are_for_dossiers_that_were_paid_online(world: World) -> None:
    said = {row["dossier_code"]: row["online_payment"] for row in delivered(world.streamed[2])}
    rows = delivered(table(world, "payments", "payment"))
    known = [row for row in rows if row["dossier_code"] in said]
    assert len(known) > 0.99 * len(rows) > 1_000
    assert all(said[row["dossier_code"]] == row["channel_code"] for row in known)
    assert {row["status_code"] for row in rows} >= {"TC", "TB", "HT"}
