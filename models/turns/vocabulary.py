"""The vocabulary, and what the recogniser's decoder already knows about each of its pieces."""

import json
import subprocess
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from text import KINDS

HERE = Path(__file__).resolve().parent
MOONSHINE = HERE / "../../node_modules/@moonshine-ai/moonshine-js/dist/model/tiny/quantized/decoder_model_merged.onnx"
SPECIALS = ["<pad>", "<end>"] + [f"<{kind}>" for kind in KINDS]
LETTERS = "abcdefghijklmnopqrstuvwxyz"
WHOLE_WORDS, PIECES = 11000, 1200


def build(turns):
    """Whole words by how often they are said, and the commonest beginnings and later parts of the rest."""
    count = Counter(w for turn in turns for w in turn.words)
    count.update(w for turn in turns for w in turn.agent)
    whole = [w for w, n in sorted(count.items(), key=lambda item: (-item[1], item[0])) if len(w) > 1][:WHOLE_WORDS]
    known = set(whole)
    parts = Counter()
    for word, n in count.items():
        if word in known:
            continue
        for size in range(2, 7):
            if size < len(word):
                parts[word[:size]] += size
            for at in range(1, len(word) - size + 1):
                parts["##" + word[at : at + size]] += size
    pieces = [p for p, _ in sorted(parts.items(), key=lambda item: (-item[1], item[0])) if p not in known][:PIECES]
    return SPECIALS + list(LETTERS) + ["##" + letter for letter in LETTERS] + whole + pieces


def moonshine_embedding():
    model = onnx.load(MOONSHINE)
    found = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer if "embed_tokens" in t.name}
    by = lambda end: next(v for k, v in found.items() if k.endswith(end))
    return (by("_quantized").astype(np.float32) - np.float32(by("_zero_point"))) * by("_scale")


def pretrained(vocabulary):
    """[pieces, 288] the mean of the recogniser's embeddings of the parts of each piece, centred, of unit variance."""
    table = moonshine_embedding()
    plain = [p.removeprefix("##") for p in vocabulary if not p.startswith("<")]
    written = [spelling(p) for p in plain]
    ran = subprocess.run(["node", str(HERE / "pieces.mjs")], input="\n".join(written), capture_output=True, text=True, check=True, cwd=HERE)
    out = np.zeros((len(vocabulary), table.shape[1]), np.float32)
    lines = iter(ran.stdout.split("\n"))
    for i, piece in enumerate(vocabulary):
        if not piece.startswith("<"):
            out[i] = table[[int(x) for x in next(lines).split()]].mean(0)
    real = out[len(SPECIALS) :]
    out[len(SPECIALS) :] = (real - real.mean(0)) / real.std()
    return out


def spelling(word):
    """As the recogniser writes it: the pronoun and the contractions that have lost their apostrophe."""
    known = {"i": "I", "im": "I'm", "ive": "I've", "ill": "I'll", "id": "I'd", "dont": "don't", "cant": "can't", "wont": "won't", "thats": "that's", "its": "it's", "didnt": "didn't", "doesnt": "doesn't", "isnt": "isn't", "wasnt": "wasn't", "youre": "you're", "theyre": "they're", "weve": "we've", "youve": "you've", "wouldnt": "wouldn't", "couldnt": "couldn't", "havent": "haven't", "whats": "what's", "theres": "there's", "hes": "he's", "shes": "she's", "lets": "let's", "youll": "you'll", "uhhuh": "uh-huh"}
    return known.get(word, word)


def save(vocabulary, path):
    Path(path).write_text("\n".join(vocabulary) + "\n")


def load(path):
    return Path(path).read_text().split("\n")[:-1]
