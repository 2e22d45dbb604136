"""Where a page stands: Vietnamese at the root, English under /en/, both built from the same pages.

An address is a promise: people print it and link to it. A page that moves leaves a page behind that says where.
"""

LANGUAGES = ("vi", "en")
_FOLDERS = {
    "home": ("", "en/"),
    "catalogue": ("bo-du-lieu/", "en/dataset/"),
    "dataset": ("bo-du-lieu/{}/", "en/dataset/{}/"),
    "compare": ("so-sanh/", "en/compare/"),
    "communes": ("xa/", "en/commune/"),
    "commune": ("xa/{}/", "en/commune/{}/"),
    "sql": ("truy-van/", "en/sql/"),
    "status": ("tinh-trang/", "en/status/"),
    "withdrawals": ("thu-hoi/", "en/withdrawals/"),
    "statements": ("tuyen-bo/", "en/statements/"),
    "developers": ("lap-trinh/", "en/developers/"),
}


def address(page: str, lang: str, key: str = "") -> str:
    """The path of a page as people see it: `/bo-du-lieu/dan-so-theo-xa/`. `key`: the slug or the commune's code."""
    return "/" + _FOLDERS[page][LANGUAGES.index(lang)].format(key)


def file_of(page: str, lang: str, key: str = "") -> str:
    """The file of a page below the docroot."""
    return address(page, lang, key).lstrip("/") + "index.html"
