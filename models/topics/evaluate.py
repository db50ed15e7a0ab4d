"""Draws of few-shot topics from the sets. bench/topics.ts measures what ships; calibrate.py fits on these."""

import collections
import random

import data as sets

SHOTS = 10


def draw(rows, seed, shots=SHOTS):
    """`shots` rows of each intent, and the rest."""
    by_intent = collections.defaultdict(list)
    for row in rows:
        by_intent[row[1]].append(row)
    generator = random.Random(seed)
    taken, rest = [], []
    for intent in sorted(by_intent):
        group = by_intent[intent]
        generator.shuffle(group)
        taken += group[:shots]
        rest += group[shots:]
    return taken, rest


def trials(data, name, seed, shots=SHOTS):
    """(examples, test rows, out-of-scope texts with the examples and rows they belong to)."""
    if name == "clinc":
        part = sets.clinc(data)
        taken, _ = draw([tuple(row) for row in part["train"]], seed, shots)
        test = [tuple(row) for row in part["val"]]
        return taken, test, (taken, test, [text for text, _ in part["oos_val"]])
    if name == "banking":
        taken, test = draw(sets.banking(data), seed, shots)
    else:
        part = sets.hwu(data)
        taken, test = part["train_10" if shots == 10 else "train_5"], part["valid"]
    intents = sorted({intent for _, intent in taken})
    random.Random(seed + 100).shuffle(intents)
    hidden = set(intents[: len(intents) // 4])
    known = [row for row in taken if row[1] not in hidden]
    inside = [row for row in test if row[1] not in hidden]
    outside = [text for text, intent in test if intent in hidden]
    return taken, test, (known, inside, outside)
