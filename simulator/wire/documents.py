"""Document management and mail over the LGSP, headers in the form of edXML (QCVN 102:2016/BTTTT); signature certificates
as files."""

from simulator import mutations as m
from simulator.layouts import Layout, fields_of

HEADER = Layout(
    "documents",
    "header",
    "/vdxp/1.0/van-ban-di",
    ("document_id",),
    fields_of(
        "document_id=DocumentId sender_code=From.OrganId sender_name=From.OrganName recipients=To"
        " code_number=Code.CodeNumber code_notation=Code.CodeNotation place=PromulgationInfo.Place"
        " promulgated_on=PromulgationInfo.PromulgationDate type_code=DocumentType.Type type_name=DocumentType.TypeName"
        " subject=Subject signer_position=SignerInfo.Position signer_name=SignerInfo.FullName"
        " priority=OtherInfo.Priority pages=OtherInfo.PageAmount form_code=HinhThucGui signature_code=ChuKySo"
        " updated_at=Timestamp"
    ),
    raw_json=frozenset({"recipients"}),
)
UNIT = Layout(
    "documents",
    "unit",
    "/qlvb/1.0/don-vi",
    ("unit_code", "established_on"),
    fields_of(
        "unit_code=MaDinhDanh unit_name=TenDonVi kind_code=LoaiDonVi established_on=NgayThanhLap joined_on=NgayThamGia"
        " ended_on=NgayKetThuc"
    ),
    snapshot=True,
)
WORK = Layout(
    "documents",
    "work_month",
    "/qlvb/1.0/bao-cao-thang",
    ("unit_code", "month_start"),
    fields_of("unit_code=MaDinhDanh month_start=Thang handled=HoSoCongViec handled_online=XuLyTrenMang"),
    snapshot=True,
)
ACCOUNT = Layout(
    "documents",
    "account",
    "/qlvb/1.0/tai-khoan",
    ("account_id",),
    fields_of(
        "account_id=MaTaiKhoan system_code=HeThong unit_code=DonViCap holder_name=ChuTaiKhoan opened_on=NgayCap"
        " first_used_on=NgaySuDungDauTien closed_on=NgayThuHoi"
    ),
    snapshot=True,
)
CERTIFICATE = Layout(
    "signatures",
    "certificate",
    "chung_thu_so",
    ("serial_no",),
    fields_of(
        "serial_no=Số_~_hiệu subject_code=Loại_~_chủ_~_thể unit_code=Đơn_~_vị holder_name=Chủ_~_thể"
        " valid_from=Hiệu_~_lực_~_từ valid_to=Hiệu_~_lực_~_đến revoked_on=Ngày_~_thu_~_hồi"
    ),
)
LAYOUTS = (HEADER, UNIT, WORK, ACCOUNT, CERTIFICATE)
NO_UNIT = m.pick("H99.1", "000.00.00.H99")
DEFECTS: dict[tuple[str, str], list[tuple[str, str, float, m.Mutation]]] = {
    ("documents", "header"): [
        ("document_id", "KEY_MISSING", 0.0003, m.empty),
        ("sender_code", "CODE_UNKNOWN", 0.001, NO_UNIT),
        ("promulgated_on", "DATE_MALFORMED", 0.001, m.bad_date),
        ("promulgated_on", "DATE_IN_FUTURE", 0.0005, m.in_future),
        ("type_code", "CODE_UNKNOWN", 0.002, m.pick("99", "XX")),
        ("signature_code", "CODE_UNKNOWN", 0.0005, m.pick("9")),
        ("subject", "NOT_NFC", 0.002, m.decomposed),
        ("subject", "WHITESPACE", 0.003, m.spaced),
    ],
    ("documents", "work_month"): [
        ("handled", "NUMBER_FORMAT", 0.003, m.pick("một trăm", "#REF!")),
        ("unit_code", "KEY_DUPLICATE_EXACT", 0.002, m.listed),
    ],
    ("documents", "account"): [
        ("unit_code", "CODE_UNKNOWN", 0.001, NO_UNIT),
        ("opened_on", "DATE_MALFORMED", 0.001, m.bad_date),
        ("first_used_on", "DATE_ORDER", 0.002, m.pick("30/04/1990")),
        ("holder_name", "WHITESPACE", 0.003, m.spaced),
    ],
    ("signatures", "certificate"): [
        ("unit_code", "CODE_UNKNOWN", 0.001, NO_UNIT),
        ("valid_from", "DATE_MALFORMED", 0.001, m.bad_date),
        ("valid_to", "DATE_ORDER", 0.002, m.pick("30/04/1990")),
        ("subject_code", "PLACEHOLDER_VALUE", 0.001, m.pick("Không rõ")),
        ("serial_no", "KEY_DUPLICATE_EXACT", 0.001, m.listed),
    ],
}
