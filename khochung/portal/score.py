"""The metadata score of a dataset: nine questions with a yes or a no, a point each, after those of data.gouv.fr.

Every question is answered from the release as it lies there, so that the page can show each of them with its answer.
"""

from dataclasses import dataclass

from khochung.contract import DatasetColumn
from khochung.portal.press import Press
from khochung.release.catalogue import PERIODS, Entry
from khochung.release.describe import OPEN
from khochung.strict import Text

# What search engines ask of a description of a dataset at least.
SHORTEST = 50
OPEN_FORMATS = {"csv", "csv.gz", "json", "geojson"}


@dataclass(frozen=True)
class Criterion:
    question: Text
    met: bool


def criteria(press: Press, entry: Entry) -> tuple[Criterion, ...]:
    """The nine questions for a published dataset; those about files look at the files."""
    dataset, latest = entry.dataset, entry.latest
    files = latest.files if latest else ()
    folder = f"data/{dataset.slug}/v/{latest.version}" if latest else ""
    described = min(len(dataset.summary.vi), len(dataset.summary.en)) >= SHORTEST
    return tuple(
        Criterion(Text(vi=vi, en=en), met)
        for vi, en, met in (
            ("Có giấy phép máy đọc được", "A licence that machines can read", bool(OPEN.uri)),
            ("Nói rõ số liệu từ ngày nào", "Says from which day on", latest is not None),
            ("Nói rõ mức địa bàn", "Says for which places", bool(dataset.disclosure.geography)),
            ("Cam kết chu kỳ cập nhật", "Promises how often it is updated", dataset.frequency in PERIODS),
            ("Cập nhật đúng hẹn", "Updated in time", entry.held is None),
            ("Mô tả đủ dài bằng hai ngôn ngữ", "Described at length in both languages", described),
            ("Có định dạng mở", "Offers an open format", any(fact.format in OPEN_FORMATS for fact in files)),
            ("Mọi tệp đều tải được", "Every file is there", all(press.has(f"{folder}/{f.name}") for f in files)),
            ("Mọi cột đều có giải thích", "Every column is explained", all(map(_explained, dataset.columns))),
        )
    )


def _explained(column: DatasetColumn) -> bool:
    return bool(column.label.vi and column.label.en and column.description and column.description_vi)
