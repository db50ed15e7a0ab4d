#!/usr/bin/env python3
"""How far words can go on rows of bursts, and how sure a figure on them is. Usage: ceiling.py ROWS [PREDICTIONS]

The ceiling is what a judge would reject that knows how the rows turned out, but must treat those alike of which the
same words were heard and the voice goes on or not. PREDICTIONS are those of `npm run bench -- interruption --rows ROWS
--predictions OUT`: the share at 0.8 s without real bursts that are one word of a listener's, and the 95 % interval over
conversations drawn anew.
"""

import sys
from collections import defaultdict

import numpy as np

import data

TIMES = (0.3, 0.5, 0.8)
RECALLS = (0.95, 0.98)
LONE = ("yeah", "uhhuh", "right")


def heard(row, at):
    return " ".join(word for word, end in row["words"] if end <= at), row["words"][-1][1] > at


def ceiling(rows, at, recall):
    """A knapsack: which groups to reject, so that few enough real ones are missed."""
    groups = defaultdict(lambda: [0, 0])
    for row in rows:
        groups[heard(row, at)][row["real"]] += 1
    missed = int((1 - recall) * sum(row["real"] for row in rows))
    best = [0] * (missed + 1)
    for listeners, real in groups.values():
        for k in range(missed, real - 1, -1):
            best[k] = max(best[k], best[k - real] + listeners)
    return max(best) / sum(1 - row["real"] for row in rows)


def rejected(y, p, recall):
    real = np.sort(p[y == 1])
    return float((p[y == 0] < real[min(len(real) - 1, int((1 - recall) * len(real)))]).mean())


def main():
    rows = list(data.jsonl(sys.argv[1]))
    for at in TIMES:
        print(f"{at} s: ceiling", *(f"{ceiling(rows, at, recall):.3f} at {recall:.0%}" for recall in RECALLS))
    if len(sys.argv) < 3:
        return
    p = np.loadtxt(sys.argv[2])[:, 2]
    y = np.array([row["real"] for row in rows])
    lone = np.array([row["real"] == 1 and heard(row, 0.8) in [(word, False) for word in LONE] for row in rows])
    print(f"0.8 s without {lone.sum()} lone real ones:", *(f"{rejected(y[~lone], p[~lone], recall):.3f} at {recall:.0%}" for recall in RECALLS))
    rng = np.random.default_rng(0)
    by = defaultdict(list)
    for at, row in enumerate(rows):
        by[row["conversation"]].append(at)
    names = sorted(by)
    for recall in RECALLS:
        drawn = [np.concatenate([by[names[i]] for i in rng.integers(len(names), size=len(names))]) for _ in range(500)]
        low, high = np.quantile([rejected(y[at], p[at], recall) for at in drawn], [0.025, 0.975])
        print(f"0.8 s at {recall:.0%}: {low:.2f} to {high:.2f}")


if __name__ == "__main__":
    main()
