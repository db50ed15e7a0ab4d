"""Writes the encoder as ONNX in int8, the pieces, the words, and fixtures that hold src/language to the same numbers."""

import argparse
import json
import os

import numpy
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from model import loaded

FIXTURES = [
    "I'd like to check my balance, please.", "um where's my order", "What\u2019s the caf\u00e9's number?", "forty two or 42", "", "uh",
    "internationalisation of x", "cancel it", "my order number is 4 8 2 seven one five", "\u041f\u0440\u0438\u0432\u0435\u0442 there",
]
#: Of a vector's numbers in the fixtures.
FIXTURE_STEP = 48
#: Of an int8: products of two bytes are added in pairs of 16 bits on older processors, which must not overflow.
MOST = 63


def rows_of_bytes(graph, name):
    """Replaces a float table by rows of int8 with a scale each; gathered first, then multiplied."""
    rows = taken(graph, name)
    scale = numpy.maximum(numpy.abs(rows).max(1, keepdims=True), 1e-8) / 127
    given(graph, f"{name}.int8", numpy.round(rows / scale).astype(numpy.int8))
    given(graph, f"{name}.scale", scale.astype(numpy.float32))

    def read(node):
        out = node.output[0]
        yield helper.make_node("Gather", [f"{name}.int8", node.input[1]], [f"{out}.int8"])
        yield helper.make_node("Cast", [f"{out}.int8"], [f"{out}.float"], to=TensorProto.FLOAT)
        yield helper.make_node("Gather", [f"{name}.scale", node.input[1]], [f"{out}.scale"])
        yield helper.make_node("Mul", [f"{out}.float", f"{out}.scale"], [out])

    replace(graph, lambda node: node.op_type == "Gather" and node.input[0] == name, read)


def products_of_bytes(graph):
    """Multiplies matrices in int8, a scale for each column, what comes in scaled as it comes."""
    names = {tensor.name for tensor in graph.initializer}
    scaled = set()

    def multiply(node):
        (left, right), out = node.input, node.output[0]
        columns = taken(graph, right)
        scale = numpy.maximum(numpy.abs(columns).max(0), 1e-8) / MOST
        given(graph, f"{right}.int8", numpy.round(columns / scale).astype(numpy.int8))
        given(graph, f"{right}.scale", scale.astype(numpy.float32))
        if left not in scaled:
            scaled.add(left)
            yield helper.make_node("DynamicQuantizeLinear", [left], [f"{left}.int8", f"{left}.scale", f"{left}.zero"])
        yield helper.make_node("MatMulInteger", [f"{left}.int8", f"{right}.int8", f"{left}.zero"], [f"{out}.sums"])
        yield helper.make_node("Cast", [f"{out}.sums"], [f"{out}.float"], to=TensorProto.FLOAT)
        yield helper.make_node("Mul", [f"{left}.scale", f"{right}.scale"], [f"{out}.scale"])
        yield helper.make_node("Mul", [f"{out}.float", f"{out}.scale"], [out])

    replace(graph, lambda node: node.op_type == "MatMul" and node.input[1] in names, multiply)


def replace(graph, meant, by):
    nodes = [new for node in graph.node for new in (by(node) if meant(node) else [node])]
    del graph.node[:]
    graph.node.extend(nodes)


def taken(graph, name):
    (tensor,) = [tensor for tensor in graph.initializer if tensor.name == name]
    graph.initializer.remove(tensor)
    return numpy_helper.to_array(tensor)


def given(graph, name, value):
    graph.initializer.append(numpy_helper.from_array(value, name))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--packages", required=True, help="folder with node_modules")
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    model, tokeniser, pieces, words = loaded(args.packages)
    os.makedirs(args.out, exist_ok=True)
    file = os.path.join(args.out, "encoder.onnx")
    read = lambda text: tuple(torch.tensor(numbers, dtype=torch.int32) for numbers in tokeniser.encode(text))
    torch.onnx.export(
        model, read("where is my order"), file, opset_version=14, input_names=["pieces", "words"], output_names=["vector"],
        dynamic_axes={"pieces": {0: "pieces"}, "words": {0: "words"}},
    )
    stored = onnx.load(file)
    for table in ("table.weight", "known"):
        rows_of_bytes(stored.graph, table)
    products_of_bytes(stored.graph)
    onnx.save(stored, file)
    with open(os.path.join(args.out, "pieces.txt"), "w") as lines:
        lines.writelines(f"{piece} {score}\n" for piece, score in pieces)
    with open(os.path.join(args.out, "words.txt"), "w") as lines:
        lines.writelines(f"{word}\n" for word in words)
    with torch.no_grad():
        fixtures = [
            {"text": text, **dict(zip(("pieces", "words"), tokeniser.encode(text))), "vector": [round(v, 4) for v in model(*read(text))[::FIXTURE_STEP].tolist()]}
            for text in FIXTURES
        ]
    with open(os.path.join(args.out, "fixtures.json"), "w") as lines:
        json.dump(fixtures, lines)
    print(file, os.path.getsize(file))


if __name__ == "__main__":
    main()
