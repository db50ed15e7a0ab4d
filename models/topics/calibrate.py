"""
Fits what src/language/few-shot.ts makes of the evidence that a text is in scope, on agents made from the sets: some topics
of one, 5 to 10 examples each, against its other topics and CLINC150's out-of-scope sentences.

    python3 calibrate.py --data ../../../shared/data --packages /tmp/parley-topics
"""

import argparse
import collections
import math
import random
import re

import numpy
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

import data as sets
from model import embedder
from text import words_of

#: Of the vectors' likeness beside that of words and of letters; few-shot.ts has the same.
MEANING = 4.0
PENALTY = 0.1
NEAREST = 0.5
MOST_ODDS = 8
SIZES = (6, 10, 16, 30, 60)


def plain(text):
    return " ".join(words_of(text))


def regress(kernel, labels, classes):
    """As regression.ts does."""
    stride = min(4, max(1, classes / 16))
    size = len(labels)
    truth = numpy.eye(classes)[labels]
    counts = truth.sum(0)
    weight = (1 / (counts[labels] * classes))[:, None]
    decay = PENALTY / size
    step = 10 * stride
    shares = numpy.zeros((size, classes))
    ahead = shares.copy()
    for turn in range(math.ceil(60 / stride**0.5)):
        chances = softmax(kernel @ ahead)
        moved = ahead - step * (weight * (chances - truth) + decay * ahead)
        ahead = moved + turn / (turn + 3) * (moved - shares)
        shares = moved
    return shares


def softmax(scores):
    powers = numpy.exp(scores - scores.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


class Agent:
    """Topics as few-shot.ts fits them."""

    def __init__(self, rows, embed, generic):
        self.names = sorted({name for _, name in rows})
        known = rows + [(re.sub(r"[_.:/-]+", " ", name), name) for name in self.names]
        self.count = len(known)
        self.texts = [text for text, _ in known] + generic
        self.blocks = [
            TfidfVectorizer(token_pattern=r"\S+", ngram_range=(1, 2), sublinear_tf=True),
            TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
        ]
        self.matrices = [block.fit_transform([plain(text) for text in self.texts]) for block in self.blocks]
        self.embed = embed
        self.vectors = embed(self.texts)
        self.labels = labels = numpy.array([self.names.index(name) for _, name in known])
        kernel = self.likeness(self.texts[: self.count])[:, : self.count]
        self.shares = regress(kernel, labels, len(self.names))

    def likeness(self, texts):
        said = [plain(text) for text in texts]
        words = sum((block.transform(said) @ matrix.T).toarray() for block, matrix in zip(self.blocks, self.matrices))
        return words + MEANING * (self.embed(texts) @ self.vectors.T)

    def judge(self, texts):
        """(names, [texts, evidence])"""
        likeness = self.likeness(texts)
        scores = likeness[:, : self.count] @ self.shares
        nearest = numpy.stack([likeness[:, : self.count][:, self.labels == at].max(1, initial=0) for at in range(len(self.names))], 1)
        chances = softmax(scores + NEAREST * nearest)
        best = chances.max(1)
        odds = numpy.clip(numpy.log(best / numpy.maximum(1e-9, 1 - best)), -MOST_ODDS, MOST_ODDS)
        columns = [odds, scores.max(1), likeness[:, : self.count].max(1), likeness[:, self.count :].max(1)]
        columns.append(numpy.full(len(texts), numpy.log(len(self.names))))
        return [self.names[at] for at in chances.argmax(1)], numpy.stack(columns, 1)


def agents(name, embed, data, generator, count):
    """(evidence, in scope) of texts of agents of many sizes."""
    taken, test = drawn(name, data)
    names = sorted({intent for _, intent in taken})
    far = [text for text, _ in sets.clinc(data)["oos_val"]]
    generic = sets.background()
    for number in range(count):
        size = min(SIZES[number % len(SIZES)], len(names) * 3 // 4)
        known = set(generator.sample(names, size))
        shots = generator.choice((5, 8, 10))
        rows = [row for intent in sorted(known) for row in [r for r in taken if r[1] == intent][:shots]]
        agent = Agent(rows, embed, generic)
        known_rows = [t for t, intent in test if intent in known]
        inside = generator.sample(known_rows, min(100, len(known_rows)))
        near = generator.sample([t for t, intent in test if intent not in known], len(inside) // 2)
        texts = inside + near + generator.sample(far, len(inside) // 2)
        yield agent.judge(texts)[1], numpy.array([1] * len(inside) + [0] * (len(texts) - len(inside)))


def drawn(name, data):
    """(ten examples of each topic, the rows to judge)"""
    if name == "hwu":
        parts = sets.hwu(data)
        return parts["train_10"], parts["valid"]
    rows = sets.banking(data)
    by_intent = collections.defaultdict(list)
    for row in rows:
        by_intent[row[1]].append(row)
    generator = random.Random(3)
    taken = [row for intent in sorted(by_intent) for row in generator.sample(by_intent[intent], 10)]
    known = set(taken)
    return taken, [row for row in rows if row not in known]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--packages", required=True, help="folder with node_modules")
    parser.add_argument("sets", nargs="*", default=("hwu", "banking"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    generator = random.Random(5)
    found = []
    embed = embedder(args.packages)
    for name in args.sets:
        found += [(name, *part) for part in agents(name, embed, args.data, generator, 10)]
    evidence = numpy.concatenate([x for _, x, _ in found])
    inside = numpy.concatenate([y for _, _, y in found])
    fitted = LogisticRegression(C=100).fit(evidence, inside)
    names = ("odds", "score", "near", "background", "topics")
    print({"bias": round(fitted.intercept_[0], 3), **{n: round(v, 3) for n, v in zip(names, fitted.coef_[0])}})
    for name in args.sets:
        x = numpy.concatenate([x for n, x, _ in found if n == name])
        y = numpy.concatenate([y for n, _, y in found if n == name])
        p = fitted.predict_proba(x)[:, 1]
        single = {n: round(roc_auc_score(y, x[:, at]), 3) for at, n in enumerate(names)}
        print(name, f"AUROC {roc_auc_score(y, p):.3f}, accepted {(p[y == 1] > .5).mean():.3f}, rejected {(p[y == 0] <= .5).mean():.3f}", single)


if __name__ == "__main__":
    main()
