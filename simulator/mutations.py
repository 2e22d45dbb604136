"""How each kind of defect spoils a row: (row, field, salt) -> changed values, None where it cannot apply."""

import unicodedata
from collections.abc import Callable
from datetime import date

Row = dict[str, str | None]
Mutation = Callable[[Row, str, int], Row | None]

FUTURE_YEAR = 2035
SUPERSEDED_LAND = ("BHK", "NHK", "LNK", "LNC", "LNQ", "SKX", "DTS", "DSH", "TTN")
LAND_LABELS = ("đất thổ cư", "T", "thổ cư", "đất trồng cây lâu năm", "ONT+CLN")
UNREADABLE = ("khoảng 500", "#REF!", "một trăm lẻ năm", "1.2.3,4,5", "12m x 25m")


def _edit(change: Callable[[str, int], str | None]) -> Mutation:
    """A mutation of the field's own text, for rows where the field has one."""

    def mutate(row: Row, field: str, salt: int) -> Row | None:
        value = row[field]
        changed = change(value, salt) if value else None
        return None if changed is None or changed == value else {field: changed}

    return mutate


def pick(*values: str) -> Mutation:
    """Put one of the values in place of the field."""
    return _edit(lambda value, salt: values[salt % len(values)])


def listed(row: Row, field: str, salt: int) -> Row | None:
    """The world itself is already wrong (duplicates, sums of areas): only list it."""
    return {}


def listed_once_recoded(row: Row, field: str, salt: int) -> Row | None:
    """A parcel that kept its old code while others were recoded; before its own recoding nothing is wrong."""
    return {} if (row["thoi_diem_cap_nhat"] or "") >= "2025-07-01" else None


def empty(row: Row, field: str, salt: int) -> Row | None:
    """An empty key."""
    return {field: ""}


def other_phone(row: Row, field: str, salt: int) -> Row | None:
    """The older of two deliveries of one key: another telephone."""
    return {"phone": f"09{salt % 10**8:08d}"}


def sex_flipped(row: Row, field: str, salt: int) -> Row | None:
    """The stated sex contradicts the personal number."""
    return {"sex_code": "2" if row["sex_code"] == "1" else "1"}


def birth_moved(row: Row, field: str, salt: int) -> Row | None:
    """The stated birth is four years before the one in the personal number (leap days survive)."""
    year = int(row["birth_year"] or 0)
    return {"birth_year": str(year - 4), "birth_date": (row["birth_date"] or "")[:6] + str(year - 4)}


def holder_birth_moved(row: Row, field: str, salt: int) -> Row | None:
    """As birth_moved for a land right, whose nam_sinh is a year or a date."""
    text = row["nam_sinh"] or ""
    return {"nam_sinh": f"{text[:-4]}{int(text[-4:]) - 4}"} if text[-4:].isdigit() else None


def axes_swapped(row: Row, field: str, salt: int) -> Row | None:
    """Northing and easting exchanged."""
    return {"x_north": row["y_east"], "y_east": row["x_north"]}


def meridian_swapped(row: Row, field: str, salt: int) -> Row | None:
    """The central meridian of a neighbouring province beside unchanged coordinates."""
    return {"kinh_tuyen_truc": "105-45" if row["kinh_tuyen_truc"] == "105-30" else "105-30"}


def no_point(row: Row, field: str, salt: int) -> Row | None:
    """A parcel without coordinates: none at all, or zeroes."""
    nothing = (None, "0.00")[salt % 2]
    return {"x_north": nothing, "y_east": nothing}


def point_far_away(row: Row, field: str, salt: int) -> Row | None:
    """One digit of the northing mistyped: the point lies 60 to 90 km away."""
    shift = 60_000 + salt % 4 * 10_000
    north = float(row["x_north"] or 0)
    return {"x_north": f"{north + shift if north < 1_215_000 else north - shift:.2f}"}


def _ring_grown(value: str, salt: int) -> str:
    """A boundary a tenth longer and wider than the parcel that it belongs to."""
    points = [tuple(map(float, point.split(" "))) for point in value[9:-2].split(",")]
    first_east, first_north = points[0]
    grown = [(first_east + (e - first_east) * 1.1, first_north + (n - first_north) * 1.1) for e, n in points]
    return f"POLYGON(({','.join(f'{e:.2f} {n:.2f}' for e, n in grown)}))"


def _check_digit(value: str, salt: int) -> str:
    return value[:9] + str((int(value[9]) + 1 + salt % 9) % 10)


def _malformed_id(value: str, salt: int) -> str:
    return (value[:-1] + "O", value + "7", value[:4] + "X" + value[5:])[salt % 3]


def _spaced(value: str, salt: int) -> str:
    if " " in value and salt % 2:
        return value.replace(" ", "  ", 1)
    return (value + "\u00a0", "\u200b" + value, value + "\u00a0")[salt % 3]


def _bad_date(value: str, salt: int) -> str:
    if "/" not in value:  # yyyyMMddHHmmss
        return (value[:4] + "0000000000", value[:4] + "-13-45")[salt % 2]
    day, month, year = value.split("/")
    return (f"00/00/{year}", f"ngày {int(day)} tháng {int(month)} năm {year}", f"32/{month}/{year}")[salt % 3]


def _imprecise(value: str, salt: int) -> str:
    return (f"01/01/{value[-4:]}", value[-4:])[salt % 2]


def _future(value: str, salt: int) -> str:
    if "/" in value:
        return f"{value[:6].replace('29/02', '28/02')}{FUTURE_YEAR}"
    return (
        f"{FUTURE_YEAR}{value[4:].replace('0229', '0228', 1)}"
        if value.isdigit()
        else f"{FUTURE_YEAR}-03-15{value[10:]}"
    )


def _excel_serial(value: str, salt: int) -> str | None:
    if "/" not in value:
        return None
    day, month, year = (int(part) for part in value.split("/"))
    return str((date(year, month, day) - date(1899, 12, 30)).days)


def _years_earlier(value: str, salt: int) -> str:
    """The same date twelve years before (leap days survive), in any of the three date formats."""
    if "/" in value:
        return value[:6] + str(int(value[6:10]) - 12)
    return str(int(value[:4]) - 12) + value[4:]


def _code_date(value: str, salt: int) -> str:
    """A dossier code whose embedded day lies ten years before the reception."""
    head, day, serial = value.rsplit("-", 2)
    shifted = f"{int(day[:4]) - 10}{day[4:]}" if len(day) == 8 else f"{int(day[:2]) - 10:02d}{day[2:]}"
    return f"{head}-{shifted}-{serial}"


strip_zero = _edit(lambda value, salt: value[1:] if value.startswith("0") else None)
malformed_id = _edit(_malformed_id)
check_digit = _edit(_check_digit)
decomposed = _edit(lambda value, salt: unicodedata.normalize("NFD", value))
legacy_letter = _edit(lambda value, salt: value.replace("Đ", "\u00d0"))
spaced = _edit(_spaced)
bad_date = _edit(_bad_date)
imprecise = _edit(_imprecise)
in_future = _edit(_future)
excel_serial = _edit(_excel_serial)
years_earlier = _edit(_years_earlier)
code_date = _edit(_code_date)
ring_grown = _edit(_ring_grown)
ring_cut_off = _edit(lambda value, salt: value[: 40 + salt % 40])
unreadable = pick(*UNREADABLE)
