"""Names of the months as dates write them, in the languages of many feeds. Pure tables; must not guess.

A name is known by how it begins, without accents; beginnings that mean two months anywhere are left out (Polish and
Croatian `lis…`, for one).
"""

import unicodedata

_NAMES = (
    "jan gen ene oca янв січ ιαν",
    "feb fev fév sub şub févr фев лют φεβ",
    "mar mär maa мар бер μαρ μάρ",
    "apr abr avr nis апр кві απρ",
    "may mai maj mag máj maig май мая тра μαϊ μαι μάι máu",
    "jun giu juin haz июн чер ιουν ιούν jún",
    "jul juil lug tem июл лип ιουλ ιούλ júl",
    "aug ago aoû agu ağu авг сер αυγ αύγ",
    "sep set eyl сен вер σεπ szep",
    "oct okt ott out eki окт жов οκτ",
    "nov kas ноя νοε νοέ",
    "dec dez dic déc ara дек гру δεκ",
)


def _plain(name: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))


_MONTHS = {_plain(name): number for number, names in enumerate(_NAMES, 1) for name in names.split()}


def month_number(name: str) -> int | None:
    """1 to 12 for the name or abbreviation of a month; None for any other word."""
    text = _plain(name)
    return next((_MONTHS[text[:n]] for n in (4, 3) if text[:n] in _MONTHS), None)
