"""How the warehouse protects counts: the same records get the same noise, wherever and whenever they are counted."""

import csv
import hashlib
import hmac
from collections.abc import Callable, Iterable
from typing import Any

from khochung import pseudonym
from khochung.contract import DBT_PROJECT
from khochung.disclosure import noise
from khochung.settings import Settings

Query = Callable[..., list[tuple[Any, ...]]]
THRESHOLD = 10
STOCK = """
    select stock.residents, residents_draw, shown.residents, shown.residents_suppressed
    from marts.fct_resident_month as stock
    join marts.dim_administrative_unit as unit using (commune_key)
    join open_data.population_by_commune as shown
        on (shown.month_end, shown.commune_code, shown.sex, shown.age_band)
        = (stock.month_end, unit.unit_code, stock.sex, stock.age_band)
"""
AUGUST = "select {what}_draw, {what} from marts.{fact} where {day} between '2025-08-01' and '2025-08-31' and {what} > 0"


def draw(settings: Settings, kind: str, record: str) -> int:
    key = bytes.fromhex(pseudonym.NOISE.value(settings))
    return int(hmac.new(key, f"draw {kind}|{record}".encode(), hashlib.sha256).hexdigest()[:7], 16)


def noise_of(key: int) -> int:
    with (DBT_PROJECT / "seeds" / "perturbation.csv").open(encoding="utf-8") as stream:
        steps = [{name: int(value) for name, value in row.items()} for row in csv.DictReader(stream)]
    return next(step["noise"] for step in steps if step["first_key"] <= key <= step["last_key"])


def cell_key(draws: Iterable[int]) -> int:
    return sum(draws) % noise.KEYS


def test_a_published_count_carries_the_noise_of_its_cell(query: Query) -> None:
    cells = query(STOCK)
    assert len(cells) > 5
    assert any(shown is not None for _, _, shown, _ in cells)
    for residents, key, shown, withheld in cells:
        noisy = residents + noise_of(key) if residents else 0
        assert (shown, withheld) == ((None, True) if min(residents, noisy) < THRESHOLD else (noisy, False))


def test_a_cell_key_is_the_sum_of_its_records(built: Settings, query: Query) -> None:
    """Twenty dossiers of August, ten of them in time: whatever table counts them, the key is theirs alone."""
    dossiers = [row[0] for row in query(
        "select dossier_code from intermediate.int_procedures__dossier where received_on between '2025-08-01' and '2025-08-31'"
    )]  # fmt: skip
    wanted = cell_key(draw(built, "dossier", code) for code in dossiers)
    for fact, day in (("fct_dossier_day", "day"), ("fct_dossier_month", "month_start")):
        found = query(AUGUST.format(what="received", fact=fact, day=day))
        assert sum(count for _, count in found) == len(dossiers) == 20
        assert cell_key(key for key, _ in found) == wanted
    in_time = query(AUGUST.format(what="settled_on_time", fact="fct_dossier_month", day="month_start"))
    assert [count for _, count in in_time] == [10]
    assert in_time[0][0] != wanted


def test_people_who_stay_keep_their_noise_from_month_to_month(query: Query) -> None:
    """Of these women nobody came or went: the key is the same, also in the commune that took over theirs."""
    keys = query(
        "select distinct residents_draw from marts.fct_resident_month where commune_key like '27694%' "
        "and sex = 'female' and age_band = '35-39' and month_end in ('2025-06-30', '2025-07-31', '2025-09-30')"
    )
    assert len(keys) == 1
    assert keys[0][0] > 0


def test_born_and_dead_leave_the_stock_with_their_own_number(built: Settings, query: Query) -> None:
    """Key of September = key of July + the child of August - the man who died, over all ages."""
    assert query("select sum(events_draw) from marts.fct_population_event where event_type = 'birth'") == [
        (draw(built, "resident", "DC044"),)
    ]
    total = "select sum(residents_draw) % 268435456 from marts.fct_resident_month where month_end = '{}'"
    before, after = (int(query(total.format(day))[0][0]) for day in ("2025-07-31", "2025-09-30"))
    change = draw(built, "resident", "DC044") - draw(built, "resident", "DC045")
    assert after == (before + change) % noise.KEYS


def test_two_keys_give_other_noise(built: Settings) -> None:
    numbers = {draw(built, "resident", f"DC{number:03}") for number in range(100)}
    assert len(numbers) == 100
    assert {draw(built, "dossier", f"DC{number:03}") for number in range(100)}.isdisjoint(numbers)
