"""Nets that were trained or exported before, read back and averaged."""

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from net import EndpointNet


def mean(files, base):
    """One net with the mean of the weights of nets, each trained from the one before it: it keeps what the first knew and
    has half of what the last learnt."""
    nets = [trained(file, base) for file in files]
    states = [net.state_dict() for net in nets]
    nets[0].load_state_dict({name: sum(state[name] for state in states) / len(states) for name in states[0]})
    return nets[0]


def trained(file, base):
    """A trained net, or one that was exported before."""
    if file.endswith(".onnx"):
        return load(file)
    kept = torch.load(file)
    if kept["state"]["project.weight"].shape[1] == 1:  # it began with an exported one
        base = np.zeros((len(kept["state"]["own"]), 1), np.float32)
    net = EndpointNet(base, hidden=kept["hidden"], layers=kept["layers"])
    net.load_state_dict(kept["state"])
    return net.eval()


def load(path):
    """The net of an exported endpointing model: its embedding comes back as rounded to int8, its own judgement not at all."""
    weights = {t.name: numpy_helper.to_array(t) for t in onnx.load(str(path)).graph.initializer}
    table = weights["table0"].astype(np.float32) * weights["table0_scale"]
    hidden = weights["gru0_0_r"].shape[2]
    net = EndpointNet(np.zeros((len(table), 1), np.float32), width=table.shape[1], hidden=hidden)
    inputs, states = np.split(weights["gru0_0_b"][0], 2)
    state = net.state_dict()
    found = {
        "own": table,
        "gru.weight_ih_l0": reorder(weights["gru0_0_w"][0]),
        "gru.weight_hh_l0": reorder(weights["gru0_0_r"][0]),
        "gru.bias_ih_l0": reorder(inputs),
        "gru.bias_hh_l0": reorder(states),
    }
    state.update({name: torch.tensor(np.array(value)) for name, value in found.items()})
    net.load_state_dict(state)
    return net.eval()


def reorder(array):
    """ONNX keeps update, reset, new; torch reset, update, new."""
    z, r, n = np.split(array, 3)
    return np.concatenate([r, z, n])

