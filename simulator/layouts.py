"""What each source delivers: field names on the wire, in order, and their names in the defect list.

The layouts of later sources are in `simulator/wire/`, one module per source.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """One table of one source. fields: list name -> field path (JSON), header (CSV, XLSX) or column name.

    A path with a slash is served over HTTP, `snapshot`: without regard to the times asked for; pages are asked for by
    `page_names` (number and size) from `first_page`. Any other is the start of a file's name: the whole list of a day, or,
    `monthly`, one file for the rows of a month.
    """

    source: str
    table: str
    path: str
    key: tuple[str, ...]
    fields: dict[str, str]
    raw_json: frozenset[str] = frozenset()
    snapshot: bool = False
    monthly: bool = False
    first_page: int = 1
    page_names: tuple[str, str] = ("page", "pageSize")

    @property
    def identifier(self) -> str:
        """source__table, the stem of cache files."""
        return f"{self.source}__{self.table}"


def fields_of(text: str) -> dict[str, str]:
    """`name=path name=path …`, with `_~_` for a blank in a path."""
    pairs = (item.split("=") for item in text.split())
    return {name: path.replace("_~_", " ") for name, path in pairs}


RESIDENT = Layout(
    "population",
    "resident",
    "/csdldc/1.0/cong-dan",
    ("record_id",),
    fields_of(
        "record_id=MaBanGhi personal_id=SoDinhDanh old_id_card=SoCMND surname=HoVaTen.Ho"
        " middle_name=HoVaTen.ChuDem given_name=HoVaTen.Ten sex_code=GioiTinh birth_year=NamSinh"
        " birth_date=NgayThangNam household_no=SoSoHoKhau householder_relation=ChuHo.QuanHe"
        " permanent_province=ThuongTru.MaTinhThanh permanent_district=ThuongTru.MaQuanHuyen"
        " permanent_commune=ThuongTru.MaPhuongXa permanent_detail=ThuongTru.ChiTiet"
        " permanent_since=NgayDangKyThuongTru current_province=NoiOHienTai.MaTinhThanh"
        " current_district=NoiOHienTai.MaQuanHuyen current_commune=NoiOHienTai.MaPhuongXa"
        " phone=SoDienThoai status_code=TrangThai updated_at=NgayCapNhat"
    ),
)
EVENT = Layout(
    "population",
    "event",
    "/csdldc/1.0/bien-dong",
    ("event_id",),
    fields_of(
        "event_id=MaBienDong record_id=MaBanGhi event_type=LoaiBienDong event_date=NgayBienDong"
        " registered_at=NgayDangKy from_province=NoiDi.MaTinhThanh from_commune=NoiDi.MaPhuongXa"
        " to_province=NoiDen.MaTinhThanh to_commune=NoiDen.MaPhuongXa updated_at=NgayCapNhat"
    ),
)
AGENCY = Layout(
    "procedures",
    "agency",
    "/dmdc/1.0/co-quan",
    ("agency_code", "valid_from"),
    fields_of(
        "agency_code=MaCoQuan agency_name=TenCoQuan level_code=Cap parent_code=MaCoQuanCha"
        " commune_code=MaPhuongXa valid_from=HieuLucTu valid_to=HieuLucDen"
    ),
    snapshot=True,
)
PROCEDURE = Layout(
    "procedures",
    "procedure",
    "/tthc/1.0/thu-tuc",
    ("procedure_code",),
    fields_of(
        "procedure_code=MaTTHC procedure_name=TenTTHC field_code=MaLinhVuc field_name=TenLinhVuc"
        " level_code=CapThucHien service_level=MucDoDVC time_limit=ThoiHanGiaiQuyet"
        " time_unit=DonViThoiHan fee_vnd=MucThu paper_result=YeuCauBanGiay decision_no=SoQuyetDinh"
        " decided_on=NgayQuyetDinh published_on=NgayCongKhai basis_effective_on=NgayHieuLucVanBan"
        " effective_from=NgayHieuLuc effective_to=NgayHetHieuLuc replaced_by=MaThuTucThayThe"
    ),
    snapshot=True,
)
DOSSIER = Layout(
    "procedures",
    "dossier",
    "/tthc/1.0/ho-so",
    ("dossier_code",),
    fields_of(
        "dossier_code=MaHoSo procedure_code=MaTTHC agency_code=DonViXuLy"
        " reception_agency_code=NoiNopHoSo channel_code=KenhThucHien"
        " applicant_name=ChuHoSo applicant_type=LoaiDoiTuong id_type=LoaiDinhDanh"
        " applicant_id=SoDinhDanh phone=SoDienThoai email=Email subject=TrichYeuHoSo"
        " submitted_at=NgayNopHoSo received_at=NgayTiepNhan due_at=NgayHenTra"
        " finished_at=NgayKetThucXuLy returned_at=NgayTra status_code=TrangThaiHoSo"
        " digitised=HoSoCoThanhPhanSoHoa electronic_result=CoKetQuaDienTu"
        " vneid_account=TaiKhoanDuocXacThucVoiVNeID online_payment=DuocThanhToanTrucTuyen"
        " database_code=MaCSDL fees=DanhSachLePhi documents=TaiLieuNop supplements=DanhSachHoSoBoSung updated_at=NgayCapNhat"
    ),
    frozenset({"fees", "documents", "supplements"}),
)


def _database(table: str, path: str, key: str, columns: str) -> Layout:
    return Layout("land", table, path, (key,), {name: name for name in columns.split()})


PARCEL = _database(
    "parcel",
    "mplis.dc_thua_dat",
    "thua_dat_id",
    "thua_dat_id ma_dinh_danh_thua xa_id xa_id_cu so_to so_thua dien_tich dien_tich_phap_ly dia_chi"
    " trang_thai thua_goc_id x_north y_east kinh_tuyen_truc ranh_gioi dang_tranh_chap"
    " thoi_diem_khoi_tao thoi_diem_ket_thuc"
    " thoi_diem_cap_nhat",
)
PARCEL_USE = _database(
    "parcel_use",
    "mplis.dc_muc_dich_su_dung",
    "muc_dich_id",
    "muc_dich_id thua_dat_id so_thu_tu loai_dat dien_tich nguon_goc thoi_han thoi_diem_cap_nhat",
)
LAND_RIGHT = _database(
    "land_right",
    "mplis.dc_quyen_su_dung",
    "quyen_id",
    "quyen_id thua_dat_id loai_chu ten_chu so_dinh_danh nam_sinh dia_chi so_phat_hanh ngay_cap thoi_diem_cap_nhat",
)
PLACE = Layout(
    "business",
    "place",
    "dm_dia_ban",
    ("place_id",),
    fields_of(
        "place_id=WardID place_name=WardName district_name=DistrictName commune_code=MaGSO"
        " valid_from=TuNgay valid_to=DenNgay"
    ),
)
ENTERPRISE = Layout(
    "business",
    "enterprise",
    "doanh_nghiep",
    ("enterprise_code",),
    fields_of(
        "enterprise_code=Mã_~_số_~_doanh_~_nghiệp enterprise_name=Tên_~_doanh_~_nghiệp legal_form=Loại_~_hình"
        " founded_on=Ngày_~_thành_~_lập amended_on=Ngày_~_thay_~_đổi_~_gần_~_nhất"
        " status_name=Tình_~_trạng capital_vnd=Vốn_~_điều_~_lệ main_industry=Mã_~_ngành_~_chính"
        " industries=Ngành_~_nghề place_id=WardID address=Địa_~_chỉ_~_trụ_~_sở"
        " representative_name=Người_~_đại_~_diện representative_id=Số_~_giấy_~_tờ phone=Điện_~_thoại"
        " employees=Số_~_lao_~_động"
    ),
)
ENTERPRISE_EVENT = Layout(
    "business",
    "enterprise_event",
    "bien_dong",
    ("event_no",),
    fields_of(
        "event_no=Số enterprise_code=Mã_~_số_~_doanh_~_nghiệp event_type=Loại_~_biến_~_động event_date=Ngày"
        " place_id=WardID capital_vnd=Vốn_~_điều_~_lệ"
    ),
    monthly=True,
)
HOUSEHOLD_BUSINESS = Layout(
    "business",
    "household_business",
    "ho_kinh_doanh",
    ("registration_no",),
    fields_of(
        "registration_no=Số_~_đăng_~_ký business_code=Mã_~_số business_name=Tên_~_hộ_~_kinh_~_doanh"
        " owner_name=Chủ_~_hộ owner_id=Số_~_CCCD registered_on=Ngày_~_đăng_~_ký"
        " closed_on=Ngày_~_chấm_~_dứt main_industry=Mã_~_ngành commune_code=Mã_~_xã address=Địa_~_chỉ"
    ),
)
LAND_LAYOUTS = (PARCEL, PARCEL_USE, LAND_RIGHT)
