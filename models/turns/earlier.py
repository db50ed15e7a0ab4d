"""Nets that were exported before, read back from their ONNX file, so that they can be averaged with new ones."""

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from net import EndpointNet


def load(path):
    """Each net of an exported endpointing model: its embedding comes back as rounded to int8."""
    weights = {t.name: numpy_helper.to_array(t) for t in onnx.load(str(path)).graph.initializer}
    count = sum(name.startswith("table") and not name.endswith("_scale") for name in weights)
    return [net_of(weights, k, count) for k in range(count)]


def net_of(weights, k, count):
    table = weights[f"table{k}"].astype(np.float32) * weights[f"table{k}_scale"]
    hidden = weights[f"gru{k}_0_r"].shape[2]
    net = EndpointNet(np.zeros((len(table), 1), np.float32), width=table.shape[1], hidden=hidden)
    inputs, states = np.split(weights[f"gru{k}_0_b"][0], 2)
    state = net.state_dict()
    found = {
        "own": table,
        "gru.weight_ih_l0": reorder(weights[f"gru{k}_0_w"][0]),
        "gru.weight_hh_l0": reorder(weights[f"gru{k}_0_r"][0]),
        "gru.bias_ih_l0": reorder(inputs),
        "gru.bias_hh_l0": reorder(states),
        "judge.0.weight": weights[f"a{k}_w"],
        "judge.0.bias": weights[f"a{k}_b"],
        # The graph has only what is asked of it, "the turn is finished", already divided by the number of nets.
        "judge.2.weight": np.concatenate([weights[f"b{k}_w"] * count, np.zeros_like(weights[f"b{k}_w"])]),
        "judge.2.bias": np.concatenate([weights[f"b{k}_b"] * count, np.zeros_like(weights[f"b{k}_b"])]),
    }
    state.update({name: torch.tensor(np.array(value)) for name, value in found.items()})
    net.load_state_dict(state)
    return net.eval()


def reorder(array):
    """ONNX keeps update, reset, new; torch reset, update, new."""
    z, r, n = np.split(array, 3)
    return np.concatenate([r, z, n])

