"""The encoders and classifiers that others would use, for `bench.classifier` to run in an interpreter that has torch.

One request a line on standard input, as JSON, one answer a line on standard output: `{"seconds", "cpu"}`. Imports
nothing of framewatch, so that the interpreter needs only torch, transformers and sentence-transformers.
"""

import json
import sys
import time

FRAMES = 8
BASE = {  # the shape of deberta-v3-base and of the NLI models made from it
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
    "vocab_size": 128_100,
    "relative_attention": True,
    "position_buckets": 256,
    "norm_rel_ebd": "layer_norm",
    "share_att_key": True,
    "pos_att_type": ["p2c", "c2p"],
    "position_biased_input": False,
    "max_relative_positions": -1,
    "type_vocab_size": 0,
    "max_position_embeddings": 512,
    "id2label": {0: "entailment", 1: "neutral", 2: "contradiction"},
    "label2id": {"entailment": 0, "neutral": 1, "contradiction": 2},
}


def embedder(folder):
    import torch
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(folder, device="cpu", model_kwargs={"dtype": torch.float32})
    return lambda texts: model.encode(texts, batch_size=32, show_progress_bar=False)


def zero_shot(folder, **batches):
    """The pipeline with the shape of a base-size NLI model; its speed does not depend on what the weights say."""
    import torch
    from transformers import AutoTokenizer, DebertaV2Config, DebertaV2ForSequenceClassification, pipeline

    torch.manual_seed(0)
    model = DebertaV2ForSequenceClassification(DebertaV2Config(**BASE)).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    # The rival's vocabulary is smaller than ours; ids are folded into it, which changes no length and no speed.
    embed = model.deberta.embeddings.word_embeddings
    embed.register_forward_pre_hook(lambda _, ids: (ids[0] % BASE["vocab_size"],))
    run = pipeline("zero-shot-classification", model=model, tokenizer=tokenizer, device="cpu")
    labels = [f"a battle that is told as story number {i}" for i in range(FRAMES)]
    return lambda texts: run(texts, candidate_labels=labels, multi_label=True, **batches)


def zero_shot_by_8(folder):
    """The same, with the batch size that a careful user would set; left alone, the pipeline takes pairs one by one."""
    return zero_shot(folder, batch_size=8)


def main():
    kind, folder, threads = sys.argv[1:]
    import torch

    torch.set_num_threads(int(threads))
    run = {"embedder": embedder, "zero_shot": zero_shot, "zero_shot_by_8": zero_shot_by_8}[kind](folder)
    for line in sys.stdin:
        texts = json.loads(line)
        start, cpu = time.perf_counter(), time.process_time()
        run(texts)
        answer = {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}
        print("ANSWER", json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
