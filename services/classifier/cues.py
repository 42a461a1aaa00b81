"""Signs in a text of how its writer stands to what it says: words that attribute, doubt or mock, marks, its build.

Counts only, by patterns in English, Russian and Arabic; what a sign means is learned elsewhere. Any text, linear time.
"""

import math
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LONGEST = 2_000
"""Characters that are looked at, as of the wording."""
MOST = 3
"""A sign that occurs more often says no more."""

_WORDS = {
    "attributes": (
        r"\b(?:says?|said|claims?|claimed|accus\w+|alleg\w+|according|told|tells|reports?|blames|hints|warns?|denies|deny"
        r"|rejects?|writes|asks|asked|poll|survey|spokesman|minister|believes?|convinced|heard)\b"
        r"|сообщ\w+|заяв\w+|обвин\w+|утвержда\w+|по данным|по словам|считает|считают|рассказ\w+|опрос\w*|отверг\w*"
        r"|опроверг\w*|предупред\w+|уверен\w*|говор[ия]т|назвал\w*"
        r"|قال|قالت|يقول|تقول|يقولون|أعلن\w*|تعلن|اتهم\w*|تتهم|يتهم|زعم|يزعم|بحسب|وفق|صرح|ينفي|تنفي|نفى|استطلاع|مقتنع\w*"
        r"|يطالب\w*|تطالب|يحذر\w*|تحذر"
    ),
    "denies": (
        r"\b(?:fake|false|myths?|debunk\w*|hoax|evidence|proof|nonsense|fact.?check|lie|bullshit|rubbish|wrong|forgery|no)\b"
        r"|фейк\w*|миф\w*|чушь|бред\w*|вранье|враньё|ерунд\w*|никак\w+|доказательств\w*|подделк\w+|не "
        r"|نفي|كذب\w*|خراف\w+|دليل|لا |ما في|مزور\w*|تدقيق|كلام فارغ|غير صحيح|بلا "
    ),
    "stops": (
        r"\b(?:stop|enough|come on|calm down|please|grip|spare)\b|хватит|прекратите|не надо|сколько можно"
        r"|كفى|كفاكم|بلا "
    ),
    "agrees": (
        r"\b(?:sure|lol|oh|ah|obviously|apparently|of course|right|really|genius|imagine)\b"
        r"|ага|ну да|ну конечно|конечно|серьёзно|أكيد|طبعا\w*|طيب|يعني|والله"
    ),
    "suspects": (
        r"\b(?:coincidence|funny how|wonder|guess|why|ask|explain|who|follow)\b"
        r"|совпадени\w*|удивительно|почему|зачем|кому|угадайте|صدفة|ليش|لماذا|مين|فكّ?روا|اسألوا|شو "
    ),
    "oneself": r"\b(?:i|my|me)\b|\b(?:я|мой|моя|сам|сама)\b|أنا|كنت",
    "they": r"\b(?:they|them|their|you|your|we|us|our)\b|\b(?:они|их|вы|вас|нам|нас)\b|هم |أنتم|نحن",
}
_MARKS = {
    "asks": r"[?؟]", "shouts": "!", "quotes": "[\"«»“”„]", "colon": ":", "dash": "[—–]| - ", "trails off": r"\.\.\.|…",
    "picture": "[\U0001f300-\U0001faff☀-➿]", "number": r"\d",
}  # fmt: skip
_OPENS_QUOTED, _SENTENCES, _LOUD = re.compile('["«“]'), re.compile(r"[.?!؟] "), re.compile(r"\b[A-Z]{4,}\b")

_COUNTED = tuple(re.compile(pattern) for pattern in (*_WORDS.values(), *_MARKS.values()))
COUNT = len(_COUNTED) + 6
"""Numbers a text."""


def cues(texts: Sequence[str]) -> NDArray[np.float64]:
    """n × COUNT: how often each sign occurs, and how the text is built."""
    return np.array([_of(text[:LONGEST]) for text in texts], np.float64).reshape(-1, COUNT)


def _of(text: str) -> list[float]:
    lowered = text.lower()
    found = [min(len(pattern.findall(lowered)), MOST) for pattern in _COUNTED]
    built = (
        bool(_OPENS_QUOTED.match(text)), text[-1:] in {"?", "؟"}, text[-1:] == ".", math.log1p(len(text.split())),
        bool(_SENTENCES.search(text)), bool(_LOUD.search(text)),
    )  # fmt: skip
    return [float(value) for value in (*found, *built)]
