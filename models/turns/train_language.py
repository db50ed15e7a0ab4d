#!/usr/bin/env python3
"""Trains the head that judges turns by what the recogniser's decoder and our own net know; train.sh says how it is used for what ships."""

import argparse
import math
import pickle
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import data
import earlier
import score
import states
import vocabulary
from text import KINDS, Tokeniser
from train_endpoint import HERE, cached, eval_sets

# Callers of an agent say what written turns are made of, whole requests and answers; meetings' pauses bear it (a thousandth of AUC).
WRITTEN = 2.0
BATCH = 512
# Numbers in the net's state.
NET = 256
# The net has read the words that the head is trained on, and is surer of them than it will be of others: of so many examples the
# head is not shown the net's state. What it then makes of the decoder's alone counts so much.
HIDDEN, ALONE = 0.7, 0.2
# The recogniser's mistakes are few among the examples.
HEARD = 6


class LanguageHead(nn.Module):
    def __init__(self, width=states.WIDTH + NET, hidden=192):
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("spread", torch.ones(width))
        self.drop = nn.Dropout(0.2)
        self.into = nn.Linear(width, hidden)
        self.kind = nn.Embedding(len(KINDS), hidden)
        nn.init.zeros_(self.kind.weight)
        self.rest = nn.Sequential(nn.GELU(), nn.Dropout(0.3), nn.Linear(hidden, 64), nn.GELU(), nn.Linear(64, 1))

    def forward(self, state, own, kind, shown):
        """The logit by `state`, the decoder's, and by `own`, the net's, where that is `shown` (0 or 1)."""
        x = (torch.cat([state, own], 1) - self.mean) / self.spread
        x = torch.cat([x[:, : states.WIDTH], x[:, states.WIDTH :] * shown], 1)
        return self.rest(self.into(self.drop(x)) + self.kind(kind))[:, 0]


@torch.no_grad()
def logits(head, kinds, seen, own):
    head.eval()
    inputs = torch.as_tensor(seen), torch.as_tensor(own), torch.as_tensor(kinds)
    out = ALONE * head(*inputs, 0.0) + (1 - ALONE) * head(*inputs, 1.0)
    head.train()
    return out.numpy()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--heard", required=True)
    parser.add_argument("--net", nargs="+", required=True, help="the net whose states it reads: the mean of these")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--written", type=float, default=WRITTEN)
    parser.add_argument("--rate", type=float, default=1e-3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    out = Path(options.out)
    pieces, base = pickle.loads((out / "vocabulary.pickle").read_bytes())
    turns = cached(out / "turns.pickle", lambda: data.training(options.data)) + list(data.heard(options.heard))
    net = earlier.mean(options.net, base)
    tokeniser = Tokeniser(pieces if net.base.shape[1] > 1 else vocabulary.load(HERE / "vocabulary.txt"))
    plain = states.of_turns("train", turns, net, tokeniser, out, states.SHARE, 3)
    misheard = states.of_turns("misheard", turns, net, tokeniser, out, states.MISHEARD, 8, data.confusions(options.heard))
    known, seen, own = plain[0] + misheard[0], np.concatenate([plain[1], misheard[1]]), np.concatenate([plain[2], misheard[2]])
    sets = cached(out / "sets.pickle", lambda: eval_sets(options.data, True))
    unseen = {name: (rows, *states.of_rows(name, rows, net, tokeniser, out)) for name, rows in sets.items()}
    kinds = torch.tensor([word.kind for word in known])
    finished = torch.tensor([float(word.finished) for word in known])
    weights = torch.tensor([word.weight * {"mrda": 1.0, "heard": HEARD}.get(word.source, options.written) for word in known])
    head = LanguageHead()
    every = max(1, len(seen) // 20000)
    some = np.concatenate([states.floats(seen[::every]), own[::every].astype(np.float32)], 1)
    head.mean[:], head.spread[:] = torch.tensor(some.mean(0)), torch.tensor(some.std(0) + 1e-4)
    optimiser = torch.optim.AdamW(head.parameters(), lr=options.rate, weight_decay=0.02)
    steps, step = options.epochs * (len(known) // BATCH), 0
    print(len(known), "words,", steps, "steps", flush=True)
    for epoch in range(options.epochs):
        order = torch.randperm(len(known))
        for start in range(0, len(order) - BATCH, BATCH):
            at = order[start : start + BATCH]
            rate = options.rate * min(1, step / 200) * 0.5 * (1 + math.cos(math.pi * step / steps))
            for group in optimiser.param_groups:
                group["lr"] = rate
            inputs = torch.as_tensor(states.floats(seen[at.numpy()])), torch.as_tensor(own[at.numpy()].astype(np.float32)), kinds[at]
            shown = (torch.rand(BATCH, 1) >= HIDDEN).float()
            loss = F.binary_cross_entropy_with_logits(head(*inputs, shown), finished[at], weight=weights[at], reduction="sum") / weights[at].sum()
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            step += 1
        print(epoch, {name: score.quick(rows, logits(head, *of)) for name, (rows, *of) in unseen.items()}, flush=True)
    torch.save(head.state_dict(), out / f"language-{options.seed}.pt")


if __name__ == "__main__":
    main()
