"""The state budget as the treasury exports it (TABMIS): estimates, and what was collected and spent in each month."""

from simulator import mutations as m
from simulator.layouts import Layout, fields_of

_PLACE = " level_code=Cấp_~_NS chapter_code=Chương item_code=Mục unit_code=Mã_~_ĐVQHNS area_code=Mã_~_ĐBHC"
ESTIMATE = Layout(
    "finance",
    "estimate",
    "du_toan",
    ("record_no",),
    fields_of(
        f"record_no=Số_~_dòng from_month=Từ_~_tháng to_month=Đến_~_tháng{_PLACE} amount=Dự_~_toán"
        " amount_unit=Đơn_~_vị_~_tính"
    ),
)
EXECUTION = Layout(
    "finance",
    "execution",
    "thu_chi",
    ("record_no",),
    fields_of(f"record_no=Số_~_dòng month=Tháng{_PLACE} amount=Thực_~_hiện amount_unit=Đơn_~_vị_~_tính"),
)
LAYOUTS = (ESTIMATE, EXECUTION)
DEFECTS: dict[tuple[str, str], list[tuple[str, str, float, m.Mutation]]] = {
    ("finance", "estimate"): [
        ("amount", "NUMBER_FORMAT", 0.001, m.pick("#REF!", "một tỷ đồng")),
        ("amount_unit", "PLACEHOLDER_VALUE", 0.001, m.empty),
    ],
    ("finance", "execution"): [
        ("record_no", "KEY_MISSING", 0.0005, m.empty),
        ("amount", "NUMBER_FORMAT", 0.001, m.pick("#REF!", "một tỷ đồng", "1.2.3,4,5")),
        ("amount_unit", "CODE_UNKNOWN", 0.001, m.pick("USD", "chục triệu")),
        ("amount_unit", "PLACEHOLDER_VALUE", 0.001, m.empty),
        ("item_code", "CODE_UNKNOWN", 0.001, m.pick("9999", "0001")),
        ("area_code", "CODE_UNKNOWN", 0.001, m.pick("99999", "00000")),
        ("month", "DATE_MALFORMED", 0.001, m.pick("13/2025", "Quý I/2025")),
    ],
}
