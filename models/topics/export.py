"""Writes the encoder as ONNX with int8 tables, the words, and fixtures that hold src/language to the same numbers."""

import argparse
import json
import os

import numpy
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from model import loaded, pad

FIXTURES = [
    "I'd like to check my balance, please.", "um where's my order", "What\u2019s the caf\u00e9's number?", "forty two or 42", "", "uh",
    "internationalisation of x", "cancel it", "my order number is 4 8 2 seven one five", "\u041f\u0440\u0438\u0432\u0435\u0442 there",
]
#: Of a vector's numbers in the fixtures.
FIXTURE_STEP = 48


def quantise(graph, name):
    """Replaces a float table by rows of int8 with a scale each; gathered first, then multiplied."""
    table = next(t for t in graph.initializer if t.name == name)
    rows = numpy_helper.to_array(table)
    scale = numpy.maximum(numpy.abs(rows).max(1, keepdims=True), 1e-8) / 127
    graph.initializer.remove(table)
    graph.initializer.extend(
        [
            numpy_helper.from_array(numpy.round(rows / scale).astype(numpy.int8), f"{name}.int8"),
            numpy_helper.from_array(scale.astype(numpy.float32), f"{name}.scale"),
        ]
    )
    for gather in [node for node in graph.node if node.op_type == "Gather" and node.input[0] == name]:
        at, ids, out = list(graph.node).index(gather), gather.input[1], gather.output[0]
        graph.node.remove(gather)
        for offset, node in enumerate(
            [
                helper.make_node("Gather", [f"{name}.int8", ids], [f"{out}.int8"]),
                helper.make_node("Cast", [f"{out}.int8"], [f"{out}.float"], to=TensorProto.FLOAT),
                helper.make_node("Gather", [f"{name}.scale", ids], [f"{out}.scale"]),
                helper.make_node("Mul", [f"{out}.float", f"{out}.scale"], [out]),
            ]
        ):
            graph.node.insert(at + offset, node)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True, help="where train.py wrote")
    parser.add_argument("--weights", default="topics-all.pt")
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    model, tokeniser = loaded(args.build, args.weights)
    os.makedirs(args.out, exist_ok=True)
    file = os.path.join(args.out, "encoder.onnx")
    sample = pad([tokeniser.encode("where is my order"), tokeniser.encode("cancel it please today")]).int()
    torch.onnx.export(
        model, (sample,), file, opset_version=14, input_names=["ids"], output_names=["vectors"],
        dynamic_axes={"ids": {0: "texts", 1: "words"}, "vectors": {0: "texts"}},
    )
    graph = onnx.load(file)
    for table in ("known", "encoder.table.weight"):
        quantise(graph.graph, table)
    onnx.save(graph, file)
    with open(os.path.join(args.out, "words.txt"), "w") as lines:
        lines.write("\n".join([str(tokeniser.buckets), *tokeniser.vocabulary]) + "\n")
    with torch.no_grad():
        fixtures = [
            {"text": text, "numbers": tokeniser.encode(text), "vector": [round(v, 4) for v in model(pad([tokeniser.encode(text)]))[0, ::FIXTURE_STEP].tolist()]}
            for text in FIXTURES
        ]
    with open(os.path.join(args.out, "fixtures.json"), "w") as lines:
        json.dump(fixtures, lines)
    print(file, os.path.getsize(file))


if __name__ == "__main__":
    main()
