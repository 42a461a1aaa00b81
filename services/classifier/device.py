"""Where an encoder runs: what the operator asked for, checked against what is there."""

from schemas.errors import PermanentError, Reason

DEVICES = ("", "cpu", "cuda")
"""What may be asked for; "" is a choice by the model."""


def checked(device: str) -> str:
    """`device`, when it can be had.

    Raises PermanentError: BAD_CONFIG for another word, MODEL_UNAVAILABLE for a card without PyTorch or no card.
    """
    if device not in DEVICES:
        raise PermanentError(
            Reason.BAD_CONFIG, f'FRAMEWATCH_DEVICE (or --device) must be "cpu", "cuda" or empty, not {device!r}.'
        )
    if device == "cuda":
        _require_card()
    return device


def _require_card() -> None:
    try:
        import torch
    except ImportError as error:
        raise PermanentError(
            Reason.MODEL_UNAVAILABLE,
            "the device cuda needs PyTorch, which is not installed: pip install 'framewatch[torch]', "
            "or set FRAMEWATCH_DEVICE=cpu.",
        ) from error
    if torch.cuda.is_available():
        return
    built = "" if torch.version.cuda else f" (this PyTorch, {torch.__version__}, is built without CUDA)"
    raise PermanentError(
        Reason.MODEL_UNAVAILABLE,
        f"the device cuda was asked for, but PyTorch finds no CUDA card here{built}. Check `nvidia-smi` and the "
        "driver, or set FRAMEWATCH_DEVICE=cpu.",
    )
