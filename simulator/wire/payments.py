"""Online payments of fees, as the payment platform tells them."""

from simulator import mutations as m
from simulator.layouts import Layout, fields_of

PAYMENT = Layout(
    "payments",
    "payment",
    "/thanhtoan/1.0/giao-dich",
    ("payment_id",),
    fields_of(
        "payment_id=MaGiaoDich dossier_code=MaHoSo payer_name=NguoiNop channel_code=KenhThanhToan status_code=TrangThai"
        " amount_vnd=SoTien paid_at=ThoiDiem updated_at=NgayCapNhat"
    ),
)
LAYOUTS = (PAYMENT,)
DEFECTS: dict[tuple[str, str], list[tuple[str, str, float, m.Mutation]]] = {
    ("payments", "payment"): [
        ("payment_id", "KEY_MISSING", 0.0005, m.empty),
        ("dossier_code", "REFERENCE_MISSING", 0.002, m.pick("H99.99-240101-9999", "H99.99-20250801-9999999")),
        ("amount_vnd", "NUMBER_FORMAT", 0.002, m.pick("một trăm nghìn", "#VALUE!")),
        ("paid_at", "DATE_MALFORMED", 0.001, m.bad_date),
        ("paid_at", "DATE_IN_FUTURE", 0.001, m.in_future),
        ("status_code", "PLACEHOLDER_VALUE", 0.001, m.pick("Không rõ")),
        ("payer_name", "WHITESPACE", 0.003, m.spaced),
    ],
}
