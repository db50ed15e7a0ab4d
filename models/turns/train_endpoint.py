#!/usr/bin/env python3
"""Trains one endpointing net; train.sh says how it is used for what ships."""

import argparse
import json
import math
import pickle
import random
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import data
import earlier
import score
import vocabulary
from net import LANGUAGE, EndpointNet
from text import KINDS, Tokeniser, kind_of, words

# The share of a source that an epoch takes: written turns are many and alike.
SHARE = {"mrda": 1.0, "acts": 0.6, "sgd": 0.35, "disfl_qa": 0.5, "taskmaster4": 0.7, "answers": 0.5, "heard": 1.0}
SHARE_OTHERS = 0.25
FILLERS = ["um", "uh", "er", "um", "uh", "you know", "like"]


HERE = Path(__file__).resolve().parent


def cached(path, make):
    path = Path(path)
    if not path.exists():
        path.write_bytes(pickle.dumps(make()))
    return pickle.loads(path.read_bytes())


def by_kind(turns):
    """A number whose length is known is two examples: while it is too short, and when it is whole."""
    for turn in turns:
        if not turn.expected.get("length"):
            yield turn, turn.expected["kind"]
            continue
        kinds = data.kind_ids(turn)
        for kind in sorted(set(kinds)):
            weight = [w if k == kind else 0.0 for w, k in zip(turn.weight, kinds)]
            copy = replace(turn, weight=weight, expected=turn.expected, ended=False)
            yield copy, KINDS[kind]


def rows_of(turn):
    """(word, turn finished, its weight, sentence finished, its weight) of each word."""
    return list(zip(turn.words, turn.finished, turn.weight, turn.complete, turn.heed or turn.weight))


def cut_once(source, rows):
    """The factor by which all the cuts of a written turn count as much as its end: one person pauses once in it, however long it
    is. None where people really paused."""
    if source in ("mrda", "acts", "answers", "heard"):
        return None
    holds = sum(weight for _, finished, weight, _, _ in rows if not finished)
    return sum(weight for _, finished, weight, _, _ in rows if finished) / holds if holds else 1.0


class Examples:
    def __init__(self, turns, tokeniser, seed, written=1.0, confusions=None, mistaken=0.4):
        self.written = written
        self.confusions, self.mistaken = confusions or {}, mistaken
        self.turns = list(by_kind(turns))
        self.tokeniser = tokeniser
        self.rng = random.Random(seed)
        self.common = [p for p in tokeniser.pieces[70:3000] if p.isalpha()]

    def misheard(self, rows):
        """With the recogniser's mistakes on made callers; what is known of the last word said is known of the last one heard."""
        out, at = [], 0
        while at < len(rows):
            for size in (3, 2, 1):
                rate, instead = self.confusions.get(tuple(row[0] for row in rows[at : at + size]), (0, None))
                if instead and at + size <= len(rows) and self.rng.random() < rate:
                    heard = self.rng.choice(instead)
                    known = rows[at + size - 1][1:]
                    out += [(word, 0, 0.0, -1, 0.0) for word in heard[:-1]] + [(word, *known) for word in heard[-1:]]
                    if not heard and out and at + size == len(rows):
                        out[-1] = (out[-1][0], *known)
                    at += size
                    break
            else:
                out.append(rows[at])
                at += 1
        return out or rows

    def noisy(self, turn):
        """As a recogniser might have heard it; what is known of each word stays with it."""
        rng = self.rng
        rows = rows_of(turn)
        spoken = turn.source in ("mrda", "acts", "answers", "heard")
        if self.confusions and turn.source != "heard" and rng.random() < self.mistaken:
            rows = self.misheard(rows)
        if rng.random() < 0.35:
            rate = rng.choice([0.03, 0.08, 0.15])
            out = []
            for i, row in enumerate(rows):
                if rng.random() < rate and i < len(rows) - 1:
                    how = rng.random()
                    if how < 0.3:
                        continue
                    if how < 0.4:
                        out.append((row[0], 0, 0.0, -1, 0.0))
                        out.append(row)
                        continue
                    word = rng.choice(self.common) if how < 0.8 or len(row[0]) < 5 else row[0][: rng.randint(2, len(row[0]) - 1)]
                    out.append((word, *row[1:]))
                else:
                    out.append(row)
            rows = out or rows
        if not spoken and rng.random() < 0.3:
            at = rng.randrange(len(rows) + 1)
            filler = rng.choice(FILLERS).split()
            weight = max(w for _, _, w, _, _ in rows)
            rows[at:at] = [(w, 0, weight * (i == len(filler) - 1), 0, weight * (i == len(filler) - 1)) for i, w in enumerate(filler)]
        return rows

    def example(self, index, plain=False):
        turn, kind = self.turns[index]
        rows = rows_of(turn) if plain else self.noisy(turn)
        agent = turn.agent
        if not plain:
            roll = self.rng.random()
            if roll < 0.12:
                agent = []
            if self.rng.random() < 0.15 and kind in KINDS[:7]:
                kind = "open"
        split = self.tokeniser.word
        ids = [i for w in agent[-16:] for i in split(w)][-28:] + [self.tokeniser.ids[f"<{kind}>"]]
        y, w, c, h = [0.0] * len(ids), [0.0] * len(ids), [-1.0] * len(ids), [0.0] * len(ids)
        once = cut_once(turn.source, rows) or 1.0
        for word, finished, weight, complete, heed in rows:
            pieces = split(word)
            weight *= 1.0 if finished else once
            ids += pieces
            y += [0.0] * (len(pieces) - 1) + [float(finished)]
            w += [0.0] * (len(pieces) - 1) + [weight]
            c += [-1.0] * (len(pieces) - 1) + [float(complete)]
            h += [0.0] * (len(pieces) - 1) + [heed]
        follow = ids[1:] + [1 if turn.ended and rows[-1][1] else -1]
        follow = [f if i >= 1 and 0 <= f < LANGUAGE else -1 for i, f in enumerate(follow)]
        return ids, y, w, c, h, follow

    def share(self, source):
        return SHARE.get(source, SHARE_OTHERS) * (1.0 if source in ("mrda", "acts", "answers", "heard") else self.written)

    def batches(self, tokens=4096):
        chosen = [i for i, (turn, _) in enumerate(self.turns) if self.rng.random() < self.share(turn.source)]
        order = [self.example(i) for i in chosen]
        self.rng.shuffle(order)
        for start in range(0, len(order), 8192):
            chunk = sorted(order[start : start + 8192], key=lambda e: len(e[0]))
            groups = []
            group = []
            for e in chunk:
                if group and (len(group) + 1) * len(e[0]) > tokens:
                    groups.append(group)
                    group = []
                group.append(e)
            groups.append(group)
            self.rng.shuffle(groups)
            for g in groups:
                yield pad(g)


def pad(group):
    longest = max(len(e[0]) for e in group)
    fills = (0, 0.0, 0.0, -1.0, 0.0, -1)
    columns = [[row + [fill] * (longest - len(row)) for row in column] for column, fill in zip(zip(*group), fills)]
    return [torch.tensor(column) for column in columns]


def loss_of(net, batch, language):
    ids, y, w, c, heed, follow = batch
    h = net.encode(ids)
    out = net.judge(h)
    n = w.sum().clamp(min=1.0)
    finished = (F.binary_cross_entropy_with_logits(out[..., 0], y, reduction="none") * w).sum() / n
    known = heed * (c >= 0)
    complete = (F.binary_cross_entropy_with_logits(out[..., 1], c.clamp(min=0), reduction="none") * known).sum() / known.sum().clamp(min=1.0)
    loss = finished + 0.5 * complete
    foreseen = torch.zeros(())
    if language:
        # Foreseeing costs more than all the rest: one word in eight is enough.
        at = (follow >= 0) & (torch.rand(follow.shape) < 0.125)
        foreseen = F.cross_entropy(net.next(F.gelu(net.foresee(h[at]))), follow[at])
        loss = loss + language * foreseen
    return loss, finished.item(), foreseen.item()


@torch.no_grad()
def predict(net, tokeniser, rows, complete=0.0):
    """P(finished) of eval rows; `complete` is how much "a sentence is finished" counts beside it."""
    net.eval()
    said = [words(row["text"]) for row in rows]
    coded = [tokeniser.encode(w, words(row["agent"]), kind_of(row.get("expected"), w)) for w, row in zip(said, rows)]
    order = sorted(range(len(rows)), key=lambda i: len(coded[i]))
    out = np.zeros(len(rows))
    for start in range(0, len(order), 256):
        part = order[start : start + 256]
        longest = len(coded[part[-1]])
        ids = torch.tensor([coded[i] + [0] * (longest - len(coded[i])) for i in part])
        logits = net(ids)
        for k, i in enumerate(part):
            finished, whole = logits[k, len(coded[i]) - 1]
            out[i] = torch.sigmoid(finished + complete * whole).item()
    net.train()
    return out


def eval_sets(folder, small=False):
    folder = Path(folder)
    pause = json.loads((folder / "turns/eval/pause-probability.json").read_text())
    maker = data.Maker("test", 1)
    sets = {
        "switchboard": data.jsonl(folder / "turns/eval/endpointing-switchboard.jsonl.gz"),
        "mrda": data.jsonl(folder / "turns/eval/endpointing-mrda.jsonl.gz"),
        "sgd": list(data.truncations(data.sgd(folder, "dev", pause), pause)),
        "clinc": list(data.truncations(data.clinc(folder, "val", pause), pause)),
        "fastfood": list(data.truncations((t for t in data.multidogo(folder, "test", pause) if t.source.endswith(data.UNSEEN_DOMAIN)), pause)),
        "answers": [row for n in range(2000) for row in maker.rows(n)],
    }
    return {k: v[:{"switchboard": 9999}.get(k, 2500)] if small else v for k, v in sets.items()}


def report(net, tokeniser, sets, policy=False):
    out = {}
    for name, rows in sets.items():
        p = predict(net, tokeniser, rows)
        out[name] = score.endpointing(rows, p) if policy else score.quick(rows, p)
    return out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--layers", type=int, default=1)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--language", type=float, default=0.15)
    parser.add_argument("--name", default="endpoint")
    parser.add_argument("--no-base", action="store_true")
    parser.add_argument("--start", help="weights of an earlier run to go on from")
    parser.add_argument("--written", type=float, default=1.0, help="factor on the share of written turns")
    parser.add_argument("--heard", help="rows of answers.py as heard.ts heard them")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    turns = cached(out / "turns.pickle", lambda: data.training(options.data))
    vocabulary_, base = cached(out / "vocabulary.pickle", lambda: (lambda v: (v, vocabulary.pretrained(v)))(vocabulary.build(turns)))
    if options.no_base:
        base = np.random.RandomState(1).randn(*base.shape).astype(np.float32)
    if options.heard:
        turns += data.heard(options.heard)
    confusions = data.confusions(options.heard) if options.heard else {}
    tokeniser = Tokeniser(vocabulary_)
    sets = cached(out / "sets.pickle", lambda: eval_sets(options.data, True))
    net = EndpointNet(base, hidden=options.hidden, layers=options.layers)
    if options.start:
        net = earlier.trained(options.start, base)
        net.train()
    if net.base.shape[1] == 1:
        # What was exported has neither the recogniser's knowledge apart nor the heads that only training needs.
        vocabulary_ = vocabulary.load(HERE / "vocabulary.txt")
        tokeniser, options.language = Tokeniser(vocabulary_), 0.0
    examples = Examples(turns, tokeniser, options.seed, options.written, confusions)
    groups = [{"params": [net.own], "weight_decay": 0.03}, {"params": [p for n, p in net.named_parameters() if n != "own"], "weight_decay": 0.01}]
    optimiser = torch.optim.AdamW(groups, lr=options.lr, betas=(0.9, 0.98))
    steps = options.steps
    print(f"{sum(p.numel() for p in net.parameters())} parameters, {len(vocabulary_)} pieces, {steps} steps", flush=True)
    step = 0
    began = time.time()
    sums = np.zeros(3)
    while step < steps:
        for batch in examples.batches():
            if step >= steps:
                break
            rate = options.lr * min(1, step / 300) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / steps)))
            for group in optimiser.param_groups:
                group["lr"] = rate
            loss, finished, foreseen = loss_of(net, batch, options.language)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
            sums += (loss.item(), finished, foreseen)
            step += 1
            if step % 450 == 0 or step == steps:
                torch.save({"state": net.state_dict(), "hidden": options.hidden, "layers": options.layers}, out / f"{options.name}-{options.seed}.pt")
                r = report(net, tokeniser, sets)
                print(step, f"{time.time() - began:.0f}s", (sums / 450).round(4), {k: v for k, v in r.items()}, flush=True)
                sums[:] = 0


if __name__ == "__main__":
    main()
