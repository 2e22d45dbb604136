"""Civil status (hộ tịch): births, deaths and marriages as the justice offices registered them, one file a month."""

from simulator import mutations as m
from simulator.layouts import Layout, fields_of

REGISTRATION = Layout(
    "civil",
    "registration",
    "so_ho_tich",
    ("registration_no",),
    fields_of(
        "registration_no=Số_~_đăng_~_ký event_type=Loại_~_việc registered_on=Ngày_~_đăng_~_ký event_date=Ngày_~_sự_~_kiện"
        " commune_code=Mã_~_xã person_id=Số_~_định_~_danh full_name=Họ_~_tên sex_code=Giới_~_tính"
        " spouse_id=Số_~_định_~_danh_~_vợ spouse_name=Họ_~_tên_~_vợ"
    ),
    monthly=True,
)
LAYOUTS = (REGISTRATION,)
DEFECTS: dict[tuple[str, str], list[tuple[str, str, float, m.Mutation]]] = {
    ("civil", "registration"): [
        ("registration_no", "KEY_MISSING", 0.0005, m.empty),
        ("event_type", "CODE_UNKNOWN", 0.001, m.pick("XX", "KHAI SINH")),
        ("event_date", "DATE_MALFORMED", 0.002, m.bad_date),
        ("event_date", "DATE_IN_FUTURE", 0.001, m.in_future),
        ("registered_on", "DATE_ORDER", 0.002, m.years_earlier),
        ("commune_code", "CODE_UNKNOWN", 0.002, m.pick("99999", "00000")),
        ("person_id", "ID_LEADING_ZERO_LOST", 0.005, m.strip_zero),
        ("person_id", "ID_MALFORMED", 0.003, m.malformed_id),
        ("full_name", "NOT_NFC", 0.004, m.decomposed),
        ("full_name", "LEGACY_LETTER", 0.01, m.legacy_letter),
        ("full_name", "WHITESPACE", 0.004, m.spaced),
    ],
}
