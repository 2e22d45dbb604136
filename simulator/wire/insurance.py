"""Social and health insurance: the monthly form by commune that the province's insurance office sends."""

from simulator import mutations as m
from simulator.layouts import Layout, fields_of

COMMUNE_MONTH = Layout(
    "insurance",
    "commune_month",
    "bhxh_bhyt_theo_xa",
    ("record_no",),
    fields_of(
        "record_no=Số_~_dòng month=Tháng commune_code=Mã_~_xã commune_name=Tên_~_xã compulsory=BHXH_~_bắt_~_buộc"
        " voluntary=BHXH_~_tự_~_nguyện unemployment=BHTN cards_employment=BHYT_~_nhóm_~_1 cards_fund=BHYT_~_nhóm_~_2"
        " cards_budget=BHYT_~_nhóm_~_3 cards_supported=BHYT_~_nhóm_~_4 cards_household=BHYT_~_nhóm_~_5"
        " cards_total=Tổng_~_số_~_thẻ_~_BHYT population=Dân_~_số"
    ),
)
LAYOUTS = (COMMUNE_MONTH,)


def total_off(row: m.Row, field: str, salt: int) -> m.Row | None:
    """A total that is not the sum of its parts: a row was added after it had been typed."""
    return {field: str(int((row[field] or "0").replace(".", "")) + 1 + salt % 40)}


DEFECTS: dict[tuple[str, str], list[tuple[str, str, float, m.Mutation]]] = {
    ("insurance", "commune_month"): [
        ("record_no", "KEY_MISSING", 0.001, m.empty),
        ("commune_code", "CODE_UNKNOWN", 0.003, m.pick("99999", "00000")),
        ("cards_total", "SUM_MISMATCH", 0.005, total_off),
        ("cards_household", "NUMBER_FORMAT", 0.004, m.pick("#REF!", "một nghìn", "-")),
        ("month", "DATE_MALFORMED", 0.002, m.pick("13/2025", "Quý III/2025", "00/2025")),
        ("commune_name", "WHITESPACE", 0.005, m.spaced),
        ("commune_name", "NOT_NFC", 0.005, m.decomposed),
    ],
}
