"""Texts to vectors, vectors to frames: the encoder, and the heads learned from a codebook.

Importing this loads no model and no library that is slow to load; `load_encoder` and `learn` do, when called.
Knows neither the database nor the network (but for fetching a model that the operator named by its hub id).
"""

from services.classifier.codebook import Codebook, Frame, learn_codebook
from services.classifier.encoder import Encoder, load_encoder
from services.classifier.heads import ABSENT, CARRIES, UNCERTAIN, Heads
from services.classifier.learning import FrameExamples, learn
from services.classifier.posts import encode_posts

__all__ = [
    "ABSENT",
    "CARRIES",
    "UNCERTAIN",
    "Codebook",
    "Encoder",
    "Frame",
    "FrameExamples",
    "Heads",
    "encode_posts",
    "learn",
    "learn_codebook",
    "load_encoder",
]
