"""An encoder that rests: loaded when asked, one asker at a time, gone after idling, and a failure is not remembered."""

import threading

import pytest

from schemas.errors import PermanentError, Reason, TransientError
from services.classifier.noop import NoopEncoder
from services.classifier.resting import Resting
from tests.waiting import came, ended


def test_it_is_loaded_at_the_first_question_and_again_after_a_rest():
    loaded = []
    model = Resting(lambda: loaded.append(1) or NoopEncoder())
    assert not loaded
    for _ in range(3):
        with model() as encoder:
            assert encoder.name == "noop@1"
    assert len(loaded) == 1
    model.rest()
    with model():
        assert len(loaded) == 2
    model.rest()


def test_it_goes_by_itself_after_idling():
    model = Resting(NoopEncoder, idle_s=0.01)
    with model():
        pass
    timer = model._timer
    ended(timer)
    assert model._encoder is None
    assert model._timer is None


def test_another_asker_waits_and_is_sent_away_after_a_while():
    model = Resting(NoopEncoder, patience_s=0.01)
    held, free = threading.Event(), threading.Event()

    def hold():
        with model():
            held.set()
            came(free)

    holder = threading.Thread(target=hold)
    holder.start()
    came(held)
    with pytest.raises(TransientError) as told, model():
        pass
    assert told.value.reason is Reason.TIMEOUT
    free.set()
    ended(holder)
    with model():
        pass
    model.rest()


def test_a_model_that_cannot_be_loaded_is_tried_again():
    answers = [PermanentError(Reason.MODEL_UNAVAILABLE, "no"), None]

    def load():
        if error := answers.pop(0):
            raise error
        return NoopEncoder()

    model = Resting(load)
    with pytest.raises(PermanentError), model():
        pass
    with model() as encoder:
        assert encoder.dimensions == 384
    model.rest()
