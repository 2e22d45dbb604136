"""Community digital teams and digital-technology enterprises: two lists of the department of science and technology."""

from simulator import mutations as m
from simulator.layouts import Layout, fields_of

TEAM = Layout(
    "digital",
    "team",
    "to_cong_nghe_so",
    ("team_no",),
    fields_of(
        "team_no=Mã_~_tổ team_name=Tên_~_tổ commune_code=Mã_~_xã_~_khi_~_thành_~_lập hamlet=Ấp,_~_khu_~_phố"
        " founded_on=Ngày_~_thành_~_lập ended_on=Ngày_~_giải_~_thể members=Số_~_thành_~_viên leader_name=Tổ_~_trưởng phone=Điện_~_thoại"
    ),
)
ENTERPRISE = Layout(
    "digital",
    "enterprise",
    "doanh_nghiep_cong_nghe_so",
    ("tax_code",),
    fields_of(
        "tax_code=Mã_~_số_~_thuế enterprise_name=Tên_~_doanh_~_nghiệp activity_code=Lĩnh_~_vực commune_code=Mã_~_xã"
        " listed_on=Ngày_~_ghi_~_nhận ended_on=Ngày_~_ngừng employees=Số_~_lao_~_động"
    ),
)
LAYOUTS = (TEAM, ENTERPRISE)
DEFECTS: dict[tuple[str, str], list[tuple[str, str, float, m.Mutation]]] = {
    ("digital", "team"): [
        ("commune_code", "CODE_UNKNOWN", 0.003, m.pick("99999", "00000")),
        ("members", "NUMBER_FORMAT", 0.004, m.pick("khoảng 5", "#REF!", "năm")),
        ("founded_on", "DATE_MALFORMED", 0.003, m.bad_date),
        ("hamlet", "WHITESPACE", 0.01, m.spaced),
        ("team_name", "NOT_NFC", 0.01, m.decomposed),
    ],
    ("digital", "enterprise"): [
        ("tax_code", "TAX_CODE_CHECK_DIGIT", 0.006, m.check_digit),
        ("activity_code", "CODE_UNKNOWN", 0.006, m.pick("KHAC", "CNTT")),
        ("listed_on", "DATE_EXCEL_SERIAL", 0.01, m.excel_serial),
        ("enterprise_name", "WHITESPACE", 0.01, m.spaced),
    ],
}
