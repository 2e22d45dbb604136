"""Electronic identity: what the police report of each commune once a month."""

from simulator import mutations as m
from simulator.layouts import Layout, fields_of

REPORT = Layout(
    "identity",
    "commune_report",
    "/dddt/1.0/bao-cao-xa",
    ("commune_code", "reported_on"),
    fields_of(
        "commune_code=MaPhuongXa commune_name=TenPhuongXa reported_on=NgayChot eligible=SoNguoiDuDieuKien"
        " level_1=TaiKhoanMuc1 level_2=TaiKhoanMuc2"
    ),
    snapshot=True,
)
LAYOUTS = (REPORT,)
DEFECTS: dict[tuple[str, str], list[tuple[str, str, float, m.Mutation]]] = {
    ("identity", "commune_report"): [
        ("level_2", "NUMBER_FORMAT", 0.003, m.pick("khoảng 500", "#REF!")),
        ("commune_name", "NOT_NFC", 0.004, m.decomposed),
        ("commune_name", "WHITESPACE", 0.004, m.spaced),
    ],
}
