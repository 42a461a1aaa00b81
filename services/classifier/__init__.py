"""Texts to vectors, vectors to frames: the encoder, and the heads learned from a codebook.

Importing this loads no model and no library that is slow to load; `load_encoder` and `learn_codebook` do, when called.
Knows neither the database nor the network (but for fetching a model that the operator named by its hub id).
"""

from services.classifier.codebook import Codebook, Frame, learn_codebook, review_codebook
from services.classifier.encoder import Encoder, load_encoder
from services.classifier.everyday import Stored
from services.classifier.heads import ABSENT, CARRIES, UNCERTAIN, Heads
from services.classifier.review import Doubt
from services.classifier.stance import StanceReader
from services.classifier.stance_learning import learn_stance, lesson_name

__all__ = [
    "ABSENT",
    "CARRIES",
    "UNCERTAIN",
    "Codebook",
    "Doubt",
    "Encoder",
    "Frame",
    "Heads",
    "StanceReader",
    "Stored",
    "learn_codebook",
    "learn_stance",
    "lesson_name",
    "load_encoder",
    "review_codebook",
]
