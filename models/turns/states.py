"""What the recogniser's decoder (states.ts, kept in the work folder) and our own net know after each word of turns and rows."""

import random
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from text import AGENT_WORDS, CALLER_WORDS, KINDS, kind_of, words
from train_endpoint import Examples, cut_once

HERE = Path(__file__).resolve().parent
WIDTH = 864
# The share of a source's turns: what people really said with pauses all, written turns some.
SHARE = {"mrda": 1.0, "acts": 0.0, "sgd": 0.18, "multidogo": 0.1, "taskmaster4": 0.5, "disfl_qa": 0.25, "answers": 0.35, "heard": 1.0}
# With the recogniser's mistakes on made callers: those, and some of the rest that the first have not.
MISHEARD = {"mrda": 0.12, "acts": 0.0, "sgd": 0.12, "multidogo": 0.05, "taskmaster4": 0.2, "disfl_qa": 0.1, "answers": 0.25, "heard": 0.0}
# Of words that say less of pauses than this, so many are taken.
RARE = 0.15


@dataclass
class Word:
    """One word of a turn after which somebody may pause."""

    source: str
    kind: int
    finished: int
    weight: float


def decoder(name, out, lines):
    """The states of all words of these lines, [words, WIDTH] (bfloat16 in 16-bit integers)."""
    path = Path(out) / f"{name}.states"
    if not path.exists():
        text = Path(out) / f"{name}.lines"
        text.write_text("".join(f"{' '.join(agent)}\t{' '.join(caller)}\n" for agent, caller in lines))
        made = path.with_suffix(".part")
        subprocess.run(["npx", "tsx", str(HERE / "states.ts"), str(text), str(made)], check=True, cwd=HERE)
        made.rename(path)
    return np.fromfile(path, np.uint16).reshape(-1, WIDTH)


def floats(states):
    return (np.asarray(states).astype(np.uint32) << 16).view(np.float32)


@torch.no_grad()
def of_net(net, tokeniser, lines, kinds):
    """The net's own state after each word of these lines: [words, hidden] of each."""
    coded, ends = [], []
    for (agent, caller), kind in zip(lines, kinds):
        ids = tokeniser.encode([], agent, kind)
        ends.append([])
        for word in caller:
            ids += tokeniser.word(word)
            ends[-1].append(len(ids) - 1)
        coded.append(ids)
    found = [None] * len(lines)
    order = sorted(range(len(lines)), key=lambda i: len(coded[i]))
    for start in range(0, len(order), 256):
        part = order[start : start + 256]
        longest = len(coded[part[-1]])
        h = net.eval().encode(torch.tensor([coded[i] + [0] * (longest - len(coded[i])) for i in part])).numpy()
        for k, i in enumerate(part):
            found[i] = h[k, ends[i]].astype(np.float16)
    return found


def of_turns(name, turns, net, tokeniser, out, shares, seed, confusions=None):
    """Words that people may pause after, and the states of decoder and net; a third of the turns roughened as a recogniser would,
    with `confusions` all of them so far as these know their words."""
    rng = random.Random(seed)
    turns = [t for t in turns if rng.random() < shares[t.source.split("-")[0]]]
    noise = Examples(turns, tokeniser, seed, confusions=confusions, mistaken=1.0)
    lines, kept = [], []
    count = 0
    for turn, kind in noise.turns:
        rows = noise.noisy(turn)
        source = turn.source.split("-")[0]
        once = cut_once(source, rows)
        # What is known of each of several words is worth more than to know it of all.
        for at, (_, finished, weight, _, _) in enumerate(rows):
            if weight <= 0 or (weight < RARE and rng.random() > RARE):
                continue
            worth = max(weight, RARE) if once is None else weight * (1 if finished else once) / (RARE if weight < RARE else 1)
            kept.append((count + at, Word(source, KINDS.index(kind), finished, worth)))
        lines.append((turn.agent[-AGENT_WORDS:] if rng.random() > 0.1 else [], [word for word, *_ in rows]))
        count += len(rows)
    states = decoder(name, out, lines)
    assert len(states) == count
    own = np.concatenate(of_net(net, tokeniser, lines, [kind for _, kind in noise.turns]))
    places = [at for at, _ in kept]
    return [word for _, word in kept], states[places], own[places]


def of_rows(name, rows, net, tokeniser, out):
    """Kinds and states of eval rows, the decoder's and the net's."""
    said = [words(row["text"])[-CALLER_WORDS:] for row in rows]
    ends = np.cumsum([len(w) for w in said]) - 1
    lines = [(words(row["agent"])[-AGENT_WORDS:], w) for row, w in zip(rows, said)]
    kinds = [kind_of(row.get("expected"), w) for row, w in zip(rows, said)]
    own = np.stack([known[-1] for known in of_net(net, tokeniser, lines, kinds)]).astype(np.float32)
    return np.array([KINDS.index(kind) for kind in kinds]), floats(decoder(name, out, lines)[ends]), own
