"""ONNX graphs of the trained nets, written node by node: int8 embedding with a scale a row, float GRU and head."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import states


class Graph:
    def __init__(self):
        self.nodes, self.weights, self.count = [], [], 0
        self.one = self.weight("one", np.array([1], np.int64))

    def weight(self, name, value):
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, op, inputs, outputs=1, **attributes):
        self.count += 1
        names = [f"{op}_{self.count}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, **attributes))
        return names[0] if outputs == 1 else names

    def embedding(self, table, name="table"):
        scale = np.maximum(np.abs(table).max(1), 1e-6) / 127
        quantised = np.round(table / scale[:, None]).astype(np.int8)
        rows = self.node("Gather", [self.weight(name, quantised), "ids"])
        scales = self.node("Gather", [self.weight(f"{name}_scale", scale.astype(np.float32)[:, None]), "ids"])
        # [time, width] -> [time, 1, width]
        flat = self.node("Mul", [self.node("Cast", [rows], to=TensorProto.FLOAT), scales])
        return self.node("Unsqueeze", [flat, self.one])

    def gru(self, x, state, layer, name):
        """The last state [1, 1, hidden] and all of them [time, 1, hidden]."""
        w = reorder(state[f"gru.weight_ih_l{layer}"])
        r = reorder(state[f"gru.weight_hh_l{layer}"])
        b = np.concatenate([reorder(state[f"gru.bias_ih_l{layer}"]), reorder(state[f"gru.bias_hh_l{layer}"])])
        hidden = r.shape[1]
        inputs = [x, self.weight(f"{name}_w", w[None]), self.weight(f"{name}_r", r[None]), self.weight(f"{name}_b", b[None])]
        every, last = self.node("GRU", inputs, 2, hidden_size=hidden, linear_before_reset=1)
        return self.node("Squeeze", [every, self.one]), last

    def linear(self, x, weight, bias, name):
        return self.node("Gemm", [x, self.weight(f"{name}_w", weight), self.weight(f"{name}_b", bias)], transB=1)

    def gelu(self, x):
        erf = self.node("Erf", [self.node("Mul", [x, self.weight(f"r{self.count}", np.float32(2**-0.5))])])
        half = self.node("Mul", [x, self.weight(f"h{self.count}", np.float32(0.5))])
        return self.node("Mul", [half, self.node("Add", [erf, self.weight(f"o{self.count}", np.float32(1))])])

    def save(self, path, inputs, output, doc):
        self.nodes.append(helper.make_node("Identity", [output], ["probability"]))
        out = helper.make_tensor_value_info("probability", TensorProto.FLOAT, [1, 1])
        graph = helper.make_graph(self.nodes, "turns", inputs, [out], self.weights, doc_string=doc)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="parley")
        onnx.checker.check_model(model)
        onnx.save(model, path)


def reorder(tensor):
    """torch keeps reset, update, new; ONNX update, reset, new."""
    r, z, n = np.split(tensor.numpy().astype(np.float32), 3)
    return np.concatenate([z, r, n])


def array(state, name):
    return state[name].numpy().astype(np.float32)


def ids_input():
    return helper.make_tensor_value_info("ids", TensorProto.INT64, ["time"])


def calibrated(graph, logit, scale, shift):
    scaled = graph.node("Mul", [logit, graph.weight("scale", np.float32(scale))])
    return graph.node("Sigmoid", [graph.node("Add", [scaled, graph.weight("shift", np.float32(shift))])])


def endpoint(path, net, heads, alone, scale, shift, doc):
    """`heads` are state dicts: their logits are averaged, `alone` is how much of them comes without what the net knows."""
    graph = Graph()
    _, last = graph.gru(graph.embedding(net.table().detach().numpy(), "table0"), net.state_dict(), 0, "gru0_0")
    own = graph.node("Squeeze", [last, graph.weight("zero0", np.array([0], np.int64))])
    logits = [language(graph, own, head, f"language{k}", alone, len(heads)) for k, head in enumerate(heads)]
    inputs = [
        ids_input(),
        helper.make_tensor_value_info("state", TensorProto.FLOAT, [1, states.WIDTH]),
        helper.make_tensor_value_info("kind", TensorProto.INT64, [1]),
    ]
    graph.save(path, inputs, calibrated(graph, graph.node("Sum", logits), scale, shift), doc)


def language(graph, own, state, name, alone, count):
    """The logit of one head on the states of decoder and net and the kind of answer, and on those of the decoder alone."""
    # The states' mean and spread go into the first layer, the kinds' vectors become its bias.
    into = array(state, "into.weight") / array(state, "spread")
    shift = into * array(state, "mean")
    bias = array(state, "into.bias") - shift[:, : states.WIDTH].sum(1)
    kinds = graph.node("Gather", [graph.weight(f"{name}_kinds", array(state, "kind.weight")), "kind"])
    without = graph.node("Add", [graph.linear("state", into[:, : states.WIDTH], bias, f"{name}_a"), kinds])
    more = graph.linear(own, into[:, states.WIDTH :], -shift[:, states.WIDTH :].sum(1), f"{name}_own")
    both = graph.node("Concat", [without, graph.node("Add", [without, more])], axis=0)
    inner = graph.gelu(graph.linear(graph.gelu(both), array(state, "rest.2.weight"), array(state, "rest.2.bias"), f"{name}_b"))
    two = graph.linear(inner, array(state, "rest.4.weight"), array(state, "rest.4.bias"), f"{name}_c")
    shares = np.array([[alone, 1 - alone]], np.float32) / count
    return graph.node("MatMul", [graph.weight(f"{name}_shares", shares), two])


def interruption(path, table, states, heads, share, scale, shift, doc):
    """`states` are the nets' (their logits are averaged), `heads` those on what the recogniser's decoder knows: from 0.3 s
    after onset to 0.8 s they come to count `share`, where there are words."""
    graph = Graph()
    x = graph.embedding(table)
    zero = graph.weight("zero", np.array([0], np.int64))
    logits = []
    for k, state in enumerate(states):
        _, last = graph.gru(x, state, 0, f"gru{k}")
        both = graph.node("Concat", [graph.node("Squeeze", [last, zero]), "numbers"], axis=1)
        inner = graph.gelu(graph.linear(both, array(state, "judge.0.weight"), array(state, "judge.0.bias"), f"a{k}"))
        logits.append(graph.linear(inner, array(state, "judge.3.weight") / len(states), array(state, "judge.3.bias") / len(states), f"b{k}"))
    net = graph.node("Sum", logits)
    known = graph.node("Sum", [burst_language(graph, state, f"language{k}", len(heads)) for k, state in enumerate(heads)])
    # numbers: elapsed less 0.6 s first, whether there are no words last.
    time, none = (graph.node("Gather", ["numbers", graph.weight(f"at{at}", np.array([at], np.int64))], axis=1) for at in (0, 5))
    since = graph.node("Div", [graph.node("Add", [time, graph.weight("from", np.float32(0.3))]), graph.weight("span", np.float32(0.5))])
    grown = graph.node("Clip", [since, graph.weight("least", np.float32(0)), graph.weight("most", np.float32(1))])
    worded = graph.node("Sub", [graph.weight("whole", np.float32(share)), graph.node("Mul", [none, graph.weight("share", np.float32(share))])])
    added = graph.node("Mul", [graph.node("Mul", [grown, worded]), graph.node("Sub", [known, net])])
    numbers = helper.make_tensor_value_info("numbers", TensorProto.FLOAT, [1, 6])
    state = helper.make_tensor_value_info("state", TensorProto.FLOAT, [1, len(array(heads[0], "mean"))])
    graph.save(path, [ids_input(), numbers, state], calibrated(graph, graph.node("Add", [net, added]), scale, shift), doc)


def burst_language(graph, state, name, count):
    """The logit of one head on the decoder's state after a burst's words and the numbers beside them."""
    directions, into = array(state, "directions"), array(state, "into.weight")
    # Mean and directions go into the first layer.
    width = directions.shape[1]
    first = into[:, :width] @ directions.T
    bias = array(state, "into.bias") - first @ array(state, "mean")
    both = graph.node("Concat", ["state", "numbers"], axis=1)
    inner = graph.gelu(graph.linear(both, np.concatenate([first, into[:, width:]], 1), bias, f"{name}_a"))
    inner = graph.gelu(graph.linear(inner, array(state, "judge.2.weight"), array(state, "judge.2.bias"), f"{name}_b"))
    return graph.linear(inner, array(state, "judge.4.weight") / count, array(state, "judge.4.bias") / count, f"{name}_c")
