#!/usr/bin/env python3
"""Trains the head that judges bursts by what the recogniser's decoder knows of their words. See README.md."""

import argparse
import math
import random
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import data
import states
from train_endpoint import cached
from train_interruption import DENSE, TIMES, WORDS, agreed, clean, dense, figures, known, synthetic

BATCH = 512
# Directions of the states that count: more only know single bursts by heart.
DIRECTIONS = 160
# How many of a burst's words are ever heard while it is contested; one row in sixteen is also known further.
SOON, LONGER = 5, 14
# Times at which a made burst is seen in an epoch.
MADE = 2


class BurstHead(nn.Module):
    """On a burst's state, in the directions that training kept, and the numbers beside it; says nothing without words."""

    def __init__(self, hidden=64, dropout=0.2):
        super().__init__()
        self.register_buffer("mean", torch.zeros(states.WIDTH))
        self.register_buffer("directions", torch.zeros(states.WIDTH, DIRECTIONS))
        self.drop = nn.Dropout(dropout)
        self.into = nn.Linear(DIRECTIONS + DENSE, hidden)
        self.judge = nn.Sequential(nn.GELU(), nn.Dropout(0.2), nn.Linear(hidden, 32), nn.GELU(), nn.Linear(32, 1))

    def look(self, seen):
        """Scales states, and turns them to the directions in which they differ most."""
        spread = seen.std(0) + 1e-3
        scaled = (seen - seen.mean(0)) / spread
        variance, vectors = np.linalg.eigh(scaled.T @ scaled / len(scaled))
        variance, vectors = variance[::-1][:DIRECTIONS], vectors[:, ::-1][:, :DIRECTIONS]
        self.mean[:] = torch.tensor(seen.mean(0))
        self.directions[:] = torch.tensor((vectors / np.sqrt(variance + 0.3 * variance.mean()) / spread[:, None]).astype(np.float32))

    def reduced(self, seen):
        return (torch.as_tensor(seen) - self.mean) @ self.directions

    def forward(self, reduced, numbers):
        return self.judge(self.into(torch.cat([self.drop(reduced), numbers], 1)))[:, 0]


class Known:
    """The decoder's state after each beginning of these texts."""

    def __init__(self, name, out, texts):
        texts = sorted(set(texts))
        # The beginning of another needs no line of its own.
        lines = [a.split() for a, b in pairwise([*texts, ""]) if a and not b.startswith(f"{a} ")]
        self.seen = states.decoder(name, out, [([], said) for said in lines])
        self.at = {}
        count = 0
        for said in lines:
            for k in range(len(said)):
                self.at.setdefault(" ".join(said[: k + 1]), count + k)
            count += len(said)
        assert len(self.seen) == count

    def index(self, heard):
        return self.at[" ".join(heard)]


def moment(row, at):
    """What is known of a burst at a time, of its first words."""
    heard, speaking, since, elapsed = known(row, at)
    return heard[: row.get("cap", WORDS)], speaking, since, elapsed


def seen_of(rows, rng):
    """Each row at several random times, as in train_interruption.py; a made one at two."""
    for row in rows:
        times = (rng.uniform(0.2, 0.4), rng.uniform(0.4, 0.65), rng.uniform(0.65, 1.0), rng.choice([None, rng.uniform(1, 2)]))
        for at in rng.sample(times[1:], MADE) if "weight" in row else times:
            heard, speaking, since, elapsed = moment(row, at)
            if not heard:
                continue
            if len(heard) > 1 and rng.random() < 0.03:
                heard = heard[:-1]
            timing = since if rng.random() > 0.25 else -1.0
            yield heard, dense(elapsed, speaking, timing, len(heard)), row["real"], row.get("weight", 1.0)


def train(rows, language, seed, epochs, rate=2e-3):
    torch.manual_seed(seed)
    rng = random.Random(seed)
    head = BurstHead()
    head.look(states.floats(language.seen[::2]))
    reduced = torch.cat([head.reduced(states.floats(language.seen[at : at + 4096])) for at in range(0, len(language.seen), 4096)])
    optimiser = torch.optim.AdamW(head.parameters(), lr=rate, weight_decay=0.02)
    step = 0
    for epoch in range(epochs):
        heard, numbers, real, weight = zip(*seen_of(rows, rng))
        index = torch.tensor([language.index(said) for said in heard])
        numbers, real, weight = torch.tensor(numbers), torch.tensor(real).float() * 0.98 + 0.01, torch.tensor(weight)
        steps = epochs * (len(index) // BATCH)
        for at in torch.randperm(len(index)).split(BATCH)[:-1]:
            for group in optimiser.param_groups:
                group["lr"] = rate * min(1, step / 50) * (0.02 + 0.49 * (1 + math.cos(math.pi * min(1, step / steps))))
            loss = F.binary_cross_entropy_with_logits(head(reduced[index[at]], numbers[at]), real[at], weight=weight[at])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            step += 1
    return head.eval()


@torch.no_grad()
def logit(heads, heard, numbers, language):
    """The mean of the heads' logits for bursts of which something was heard."""
    seen = torch.as_tensor(states.floats(language.seen[[language.index(said) for said in heard]]))
    return np.mean([head(head.reduced(seen), torch.tensor(numbers)).numpy() for head in heads], 0)


def counts(elapsed, share):
    """How much the heads count so long after onset: before words are whole they know little."""
    return share * np.clip((np.asarray(elapsed) - 0.3) / 0.5, 0, 1)


def mixed(nets, heads, rows, language, share):
    """The logits of the nets at each time, with those of the heads where there are words."""
    out = np.array(nets)
    for k, at in enumerate(TIMES):
        moments = [moment(row, at) for row in rows]
        worded = [i for i, (heard, *_) in enumerate(moments) if heard]
        moments = [moments[i] for i in worded]
        numbers = [dense(elapsed, speaking, since, len(heard)) for heard, speaking, since, elapsed in moments]
        known = logit(heads, [heard for heard, *_ in moments], numbers, language)
        out[worded, k] += counts([elapsed for *_, elapsed in moments], share) * (known - out[worded, k])
    return out


def load(out):
    heads = []
    for state in torch.load(out / "interruption-language.pt"):
        heads.append(BurstHead())
        heads[-1].load_state_dict(state)
    return [head.eval() for head in heads]


def bursts_of(folder, out):
    """The rows of train_interruption.py, fewer of callers' whole turns, and how far each is known."""
    rng = random.Random(9)
    rows = agreed(clean(data.jsonl(folder / "turns/eval/interruption-mrda-train.jsonl.gz"))) + clean(cached(out / "bursts.pickle", lambda: synthetic(folder)))
    kept = []
    for row in rows:
        if row.get("weight") != 0.4 or rng.random() < 0.25:
            kept.append({**row, "cap": LONGER if rng.random() < 0.06 else SOON})
    return kept


def texts(rows):
    return [" ".join(w for w, _ in row["words"][: row.get("cap", WORDS)]) for row in rows]


def of_rows(name, rows, out):
    return Known(f"bursts-{name}", out, texts(rows))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[3, 4])
    parser.add_argument("--epochs", type=int, default=4)
    options = parser.parse_args()
    torch.set_num_threads(1)
    out, folder = Path(options.out), Path(options.data)
    rows = bursts_of(folder, out)
    language = of_rows("train", rows, out)
    heads = []
    for seed in options.seeds:
        heads.append(train(rows, language, seed, options.epochs))
        torch.save([head.state_dict() for head in heads], out / "interruption-language.pt")
    for name in ("switchboard", "mrda"):
        test = clean(data.jsonl(folder / f"turns/eval/interruption-{name}.jsonl.gz"))
        z = mixed(np.zeros((len(test), len(TIMES))), heads, test, of_rows(name, test, out), 1.0)
        print(name, "by the heads alone, 0.5 and 0.8 s", figures(test, 1 / (1 + np.exp(-z)))[1:3], flush=True)


if __name__ == "__main__":
    main()
