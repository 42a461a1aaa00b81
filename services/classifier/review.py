"""What a lesson makes one doubt about its codebook: frames with few examples, posts that contradict what is said."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from services.classifier.learning import Lesson, Material


@dataclass(frozen=True, slots=True)
class Doubt:
    """One thing to look at in a codebook."""

    frame: str
    kind: Literal["few", "contradiction", "far-off"]
    text: str
    """The post in question; empty where it is about the frame."""
    remedy: str


def doubts(material: Material, lesson: Lesson) -> list[Doubt]:
    """Doubts frame by frame.

    Far off is an example that, held out, looks less like its frame than one in four posts without it do.
    """
    return [doubt for f in range(len(material.frames)) for doubt in _of_frame(material, lesson, f)]


def _of_frame(material: Material, lesson: Lesson, f: int) -> Iterator[Doubt]:
    frame, said = material.frames[f], material.said[:, f]
    if frame in lesson.heads.weak:
        yield Doubt(frame, "few", "", f"examples are few ({int((said == 1).sum())}); give 8 or more")
    if len(lesson.clashes) != len(said):
        return  # more posts than are learned from: which of them were is not worth telling
    for i in np.flatnonzero(lesson.clashes[:, f]).tolist():
        remedy = "said not to carry the frame, yet says the same as an example; remove one"
        yield Doubt(frame, "contradiction", material.texts[i], remedy)
    usual = float(np.quantile(lesson.held_out[said == -1, f], 0.75))
    for i in np.flatnonzero((said == 1) & (lesson.held_out[:, f] < usual)).tolist():
        remedy = "this example is unlike the others of its frame; is it meant, or does it need company?"
        yield Doubt(frame, "far-off", material.texts[i], remedy)
