"""Few-shot topics on sets the encoder has not seen. bench/topics.ts measures what ships; this chooses what ships."""

import collections
import random

import numpy
from scipy.sparse import csr_matrix
from sklearn.metrics import roc_auc_score

import data as sets
from text import NUMBER, words_of

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


def features(text):
    found = {}
    words = words_of(text)
    for at, word in enumerate(words):
        found["w:" + word] = 1.0
        if at + 1 < len(words):
            found[f"p:{word} {words[at + 1]}"] = 0.6
        if word != NUMBER:
            padded = f"<{word}>"
            for size in (3, 4):
                for start in range(len(padded) - size + 1):
                    found.setdefault("l:" + padded[start : start + size], 0.35)
    return found


class Lexical:
    """TF-IDF of words, pairs of words and letter groups, of unit length."""

    def __init__(self, texts):
        documents = [features(text) for text in texts]
        counts = collections.Counter(name for document in documents for name in document)
        self.numbers = {name: at for at, name in enumerate(counts)}
        self.idf = numpy.log((len(texts) + 1) / (numpy.array(list(counts.values())) + 0.5))

    def matrix(self, texts):
        rows, columns, values = [], [], []
        for row, text in enumerate(texts):
            found = features(text)
            known = [(self.numbers[name], weight) for name, weight in found.items() if name in self.numbers]
            terms = [weight * self.idf[at] for at, weight in known]
            # What the examples never had counts as a rare feature each, so that strange texts come out short.
            length = numpy.sqrt(sum(t * t for t in terms)) or 1.0
            rows += [row] * len(known)
            columns += [at for at, _ in known]
            values += [t / length for t in terms]
        return csr_matrix((values, (rows, columns)), shape=(len(texts), len(self.numbers)))


def unit(matrix):
    return matrix / numpy.maximum(numpy.linalg.norm(matrix, axis=1, keepdims=True), 1e-9)


def kernels(embed, examples, texts, background=()):
    base = [text for text, _ in examples]
    lexical = Lexical(base)
    a, b = lexical.matrix(base), lexical.matrix(texts)
    found = {"lex": ((a @ a.T).toarray(), (b @ a.T).toarray())}
    if embed is not None:
        e, f = embed(base), embed(texts)
        e, f = unit(e), unit(f)
        found["emb"] = (e @ e.T, f @ e.T)
    return found


def ridge(inner, outer, labels, decay, sharp=None):
    """Kernel ridge regression on one-hot classes, its outputs and GP variance."""
    classes = sorted(set(labels))
    at = {name: index for index, name in enumerate(classes)}
    truth = -numpy.ones((len(labels), len(classes))) / len(classes)
    for row, label in enumerate(labels):
        truth[row, at[label]] = 1
    inverse = numpy.linalg.inv(inner + decay * numpy.eye(len(inner)))
    scores = outer @ (inverse @ truth)
    variance = 1 - numpy.einsum("ij,jk,ik->i", outer, inverse, outer, optimize=True)
    return classes, scores, variance


def mix(found, weight, power=1.0):
    parts = []
    for at in (0, 1):
        lex = found["lex"][at]
        emb = found.get("emb", found["lex"])[at]
        parts.append((1 - weight) * lex + weight * numpy.sign(emb) * numpy.abs(emb) ** power)
    return parts


def measure(embed, data, names=("clinc", "banking", "hwu"), seeds=(1, 2), weights=(0.5,), decays=(0.3,), powers=(1.0,), noise=None):
    """{set: [(weight, decay, power, accuracy, {score: AUROC})]}."""
    table = {}
    for name in names:
        sums = collections.defaultdict(list)
        for seed in seeds:
            examples, test, (known, inside, outside) = trials(data, name, seed)
            texts = [noise(t) if noise else t for t, _ in test]
            full = kernels(embed, examples, texts)
            if known is examples:
                out = kernels(embed, examples, texts + [noise(t) if noise else t for t in outside])
            else:
                out = kernels(embed, known, [noise(t) if noise else t for t in [t for t, _ in inside] + outside])
            flags = numpy.array([1] * len(inside) + [0] * len(outside))
            for weight in weights:
                for power in powers:
                    for decay in decays:
                        inner, outer = mix(full, weight, power)
                        classes, scores, _ = ridge(inner, outer, [l for _, l in examples], decay)
                        right = [classes[i] == l for i, (_, l) in zip(scores.argmax(1), test)]
                        inner, outer = mix(out, weight, power)
                        _, s, variance = ridge(inner, outer, [l for _, l in known], decay)
                        top = numpy.sort(s, 1)
                        aurocs = {
                            "max": roc_auc_score(flags, top[:, -1]),
                            "margin": roc_auc_score(flags, top[:, -1] - 0.5 * top[:, -2]),
                            "near": roc_auc_score(flags, outer.max(1)),
                            "var": roc_auc_score(flags, -variance),
                            "max+near": roc_auc_score(flags, top[:, -1] + 0.5 * outer.max(1)),
                        }
                        sums[weight, decay, power].append((numpy.mean(right), aurocs))
        table[name] = {
            k: (numpy.mean([a for a, _ in v]), {n: numpy.mean([o[n] for _, o in v]) for n in v[0][1]}) for k, v in sums.items()
        }
    return table


def show(table):
    for name, rows in table.items():
        for setting, (accuracy, aurocs) in rows.items():
            print(name, setting, f"{accuracy:.3f}", " ".join(f"{n} {v:.3f}" for n, v in aurocs.items()), flush=True)
