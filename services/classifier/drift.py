"""Decides which graph of a model is used: int8 when its vectors stay with the fp32 ones on this machine, else fp32.

Writes the chosen graph and what was measured into a folder, so that the choice is made once.
"""

import json
import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.classifier.folder import ModelFolder
from services.classifier.graph import Precision, build_graph
from services.classifier.onnx_encoder import OnnxEncoder, open_session
from services.classifier.thinning import Thinning
from services.classifier.tokens import Tokens

CHECK = "check.json"
MEAN_DRIFT = 0.01
"""Largest accepted mean of 1 - cosine between int8 and fp32 vectors of the check texts."""
WORST_DRIFT = 0.03
"""Largest accepted 1 - cosine of any one check text."""

CHECK_TEXTS = (
    "The council approved the new tram line after two years of debate.",
    "They staged the whole battle for the cameras and left before sunset!",
    "ok",
    "Heavy rain tonight, bring an umbrella and leave early if you can 🌧️",
    "Prices rose by 4.7 % in November, the statistics office said on Thursday.",
    "Совет одобрил новую трамвайную линию после двух лет споров.",
    "Весь бой был постановкой для камер, и все уехали ещё до заката!",
    "Цены в ноябре выросли на 4,7 %, сообщило в четверг бюро статистики.",
    "Сегодня ночью сильный дождь, возьмите зонт #погода",
    "وافق المجلس على خط الترام الجديد بعد عامين من النقاش.",
    "كانت المعركة كلها تمثيلية أمام الكاميرات وغادروا قبل الغروب!",
    "ارتفعت الأسعار بنسبة ٤٫٧ في المئة في نوفمبر، بحسب مكتب الإحصاء.",
)

log = logging.getLogger(__name__)


def prepare_graphs(folder: ModelFolder, target: Path, thinning: Thinning | None = None) -> None:
    """Build the graphs of `folder` in `target`, compare them, keep one and the result of the comparison.

    Only the int8 graph is thinned; it must stay with the whole network all the same.
    """
    build_graph(folder, target / "fp32.onnx", "fp32")
    build_graph(folder, target / "int8.onnx", "int8", thinning)
    tokens = Tokens(folder)
    mean, worst = drift(*(_vectors(target / f"{p}.onnx", tokens) for p in ("int8", "fp32")))
    good = mean <= MEAN_DRIFT and worst <= WORST_DRIFT
    chosen, other = ("int8", "fp32") if good else ("fp32", "int8")
    for ending in ("onnx", "data"):
        (target / f"{other}.{ending}").unlink()
    result = {"graph": chosen, "mean_drift": mean, "worst_drift": worst, "texts": len(CHECK_TEXTS)}
    (target / CHECK).write_text(json.dumps(result, indent=1), encoding="utf-8")


def chosen_graph(target: Path, title: str) -> Precision:
    """The graph that `prepare_graphs` kept; a warning in the log when it is the slow one."""
    result = json.loads((target / CHECK).read_text(encoding="utf-8"))
    if result["graph"] == "int8":
        return "int8"
    log.warning("int8_graph_refused_using_fp32", extra={"model": title, **result})
    return "fp32"


def drift(vectors: NDArray[np.float32], reference: NDArray[np.float32]) -> tuple[float, float]:
    """Mean and worst of 1 - cosine between unit vectors, row by row (both n × d, n > 0)."""
    apart = 1 - np.einsum("nd,nd->n", vectors, reference, dtype=np.float64)
    return float(apart.mean()), float(apart.max())


def _vectors(graph: Path, tokens: Tokens) -> NDArray[np.float32]:
    session = open_session(graph)
    width = session.get_outputs()[0].shape[1]
    return OnnxEncoder(graph.stem, width, tokens, session, threads=1).encode(CHECK_TEXTS)
