"""The 1022 hotline, in the manner of the VNPT citizen-feedback platform: Keycloak, ids of 24 hexadecimal digits, no GSO
codes, times in UTC, pages counted from nought."""

from simulator import mutations as m
from simulator.layouts import Layout, fields_of

PETITION = Layout(
    "hotline",
    "petition",
    "/pe/petition",
    ("petition_id",),
    fields_of(
        "petition_id=id petition_code=code kind_code=classify category_id=tag.id category_name=tag.name"
        " title=title description=description reporter_name=reporter.fullname reporter_id=reporter.identityId"
        " phone=reporter.phone username=reporter.username place_id=takePlaceAt.placeId"
        " address=takePlaceAt.fullAddress latitude=takePlaceAt.latitude longitude=takePlaceAt.longitude"
        " channel_code=receptionMethod agency_code=agency.code agency_name=agency.name status_code=status"
        " received_at=createdDate due_at=dueDate answered_at=completedDate published_at=publishedDate"
        " satisfaction_code=evaluation reminders=remindCount is_public=isPublic is_anonymous=isAnonymous"
        " updated_at=updatedDate"
    ),
    first_page=0,
    page_names=("page", "size"),
)
CATEGORY = Layout(
    "hotline",
    "category",
    "/bt/tag",
    ("category_id",),
    fields_of("category_id=id parent_id=parentId category_name=name field_code=integratedCode"),
    snapshot=True,
    first_page=0,
    page_names=("page", "size"),
)
PLACE = Layout(
    "hotline",
    "place",
    "/ba/place",
    ("place_id",),
    fields_of("place_id=id parent_id=parentId type_code=typeId place_name=name"),
    snapshot=True,
    first_page=0,
    page_names=("page", "size"),
)
LAYOUTS = (PETITION, CATEGORY, PLACE)
UNKNOWN = ("64f0000000000000000000aa", "64f0000000000000000000bb")
DEFECTS: dict[tuple[str, str], list[tuple[str, str, float, m.Mutation]]] = {
    ("hotline", "petition"): [
        ("petition_id", "KEY_MISSING", 0.0005, m.empty),
        ("petition_id", "KEY_DUPLICATE_CONFLICT", 0.001, m.other_phone),
        ("category_id", "CODE_UNKNOWN", 0.002, m.pick(*UNKNOWN)),
        ("place_id", "CODE_UNKNOWN", 0.004, m.pick(*UNKNOWN)),
        ("agency_code", "CODE_UNKNOWN", 0.002, m.pick("H99.1", "000.00.00.H99")),
        ("status_code", "PLACEHOLDER_VALUE", 0.001, m.pick("Không rõ", "null")),
        ("received_at", "DATE_MALFORMED", 0.001, m.bad_date),
        ("received_at", "DATE_IN_FUTURE", 0.001, m.in_future),
        ("answered_at", "DATE_ORDER", 0.002, m.years_earlier),
        ("satisfaction_code", "CODE_UNKNOWN", 0.002, m.pick("9")),
        ("title", "WHITESPACE", 0.005, m.spaced),
    ],
}
