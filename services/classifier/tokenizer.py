"""Writes a vocabulary as the two files `transformers.AutoTokenizer` loads; needs no network and no torch."""

import json
import re
import unicodedata
from collections import defaultdict
from pathlib import Path
from typing import Any

from services.classifier.container import Vocabulary

SPACE = "▁"
NAMES = {
    "bos_token": "<s>",
    "eos_token": "</s>",
    "cls_token": "<s>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "unk_token": "<unk>",
    "mask_token": "<mask>",
}


def write_tokenizer(vocabulary: Vocabulary, folder: Path, positions: int) -> None:
    """Write tokenizer.json and tokenizer_config.json into `folder`; `positions` is the model's longest input."""
    backend = _backend(vocabulary)
    backend.save(str(folder / "tokenizer.json"), pretty=False)
    config = {**NAMES, "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": positions}
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")


def _backend(vocabulary: Vocabulary) -> Any:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors

    backend = Tokenizer(models.Unigram(list(vocabulary.pieces), unk_id=vocabulary.unknown, byte_fallback=False))
    backend.normalizer = _normalizer(vocabulary)
    backend.pre_tokenizer = pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always", split=True)
    backend.decoder = decoders.Metaspace(replacement=SPACE, prepend_scheme="always", split=True)
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", vocabulary.begin), ("</s>", vocabulary.end)],
    )
    backend.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in dict.fromkeys(NAMES.values())])
    return backend


def _normalizer(vocabulary: Vocabulary) -> Any:
    """NFKC, then what the character map does beyond it (drop controls, blanks to spaces), then single spaces."""
    from tokenizers import Regex, normalizers

    beyond = defaultdict(list)
    for source, target in vocabulary.characters.items():
        if unicodedata.normalize("NFKC", source) != target:
            beyond[target].append(re.escape(source))
    steps: list[Any] = [normalizers.NFKC()]
    steps += [normalizers.Replace(Regex(f"[{''.join(found)}]"), target) for target, found in beyond.items()]
    steps.append(normalizers.Replace(Regex(" {2,}"), " "))
    return normalizers.Sequence(steps)
