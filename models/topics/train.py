"""
Trains the topics encoder.

    python3 models/topics/train.py --data ../shared/data --out build [--leave-out clinc|banking|hwu]

Stage 1 (`--stage general`): which sentences belong together, from dialogues, corrected questions and a dictionary. None of the sets that
are tested is read. Stage 2 (`--stage topics`): sentences of one intent together, from every set but the one left out.
"""

import argparse
import collections
import json
import os
import random
import time

import torch
from torch.nn import functional

import data as sets
from model import Encoder, distinct
from text import Tokeniser, words_of
from words import word_vectors

BUCKETS = 8192
SEED = 7
#: Words of a text in training; those that matter are among them.
LONGEST = 20
GENERAL_STEPS = 1400


def noised(text, generator, rate=0.08):
    """As a recogniser may hear it: fillers, repeats, lost words, wrong letters."""
    words = text.split()
    out = []
    for word in words:
        dice = generator.random()
        if dice < rate * 0.4 and len(words) > 3:
            continue
        if dice < rate and len(word) > 3:
            at = generator.randrange(len(word) - 1)
            word = word[:at] + generator.choice("aeiouestrnl") + word[at + generator.randrange(2) :]
        out.append(word)
        if dice > 1 - rate * 0.3:
            out.append(word)
    return " ".join(out)


class Feeder:
    """Turns texts into batches; forgets whole words now and then, so that letters learn to speak for them."""

    def __init__(self, tokeniser, generator):
        self.tokeniser = tokeniser
        self.generator = generator

    def __call__(self, texts, noise=0.5):
        rows = []
        for text in texts:
            if self.generator.random() < noise:
                text = noised(text, self.generator)
            row = self.tokeniser.encode(text)[:LONGEST]
            rows.append([[1] + word[1:] if word[0] > 1 and self.generator.random() < 0.05 and word[1] else word for word in row])
        return distinct(rows)


def pairs_of(data, generator):
    """{task: pairs of texts that belong together}."""
    answers, turns = [], {}
    before = None
    for dialogue, _, agent, said in sets.sgd(data):
        if agent:
            answers.append((agent, said))
        if before and before[0] == dialogue and agent:
            answers.append((before[1], agent))
        before = (dialogue, said)
    last = None
    for row in sets.taskmaster(data):
        if last and last[0] == row[0]:
            answers.append((last[1], row[3]))
        last = (row[0], row[3])
    # Two things said in one conversation of one domain are closer than any two.
    follow, last = [], None
    for conversation, _, text, _ in sets.multidogo(data):
        if len(words_of(text)) > 3:
            if last and last[0] == conversation:
                follow.append((last[1], text))
            last = (conversation, text)
    meanings, uses = [], []
    for words, counts, gloss, quoted, near in sets.wordnet():
        common = sum(counts)
        if not common and generator.random() < 0.7:
            continue
        names = [word for word in words]
        meanings.append((generator.choice(names), gloss))
        if len(names) > 1:
            meanings.append(tuple(generator.sample(names, 2)))
        for group in near[:2]:
            meanings.append((generator.choice(names), generator.choice(group)))
        for text in quoted:
            uses.append((text, gloss))
            if len(names) > 1:
                # The same sentence with a synonym in it.
                for name in names:
                    if f" {name} " in f" {text} ":
                        other = generator.choice([word for word in names if word != name])
                        uses.append((text, f" {text} ".replace(f" {name} ", f" {other} ").strip()))
    return {"answers": answers + follow, "meanings": meanings, "uses": uses, "questions": sets.disfl_qa(data)}


def usable(pairs):
    return [pair for pair in pairs if all(words_of(text) for text in pair) and words_of(pair[0]) != words_of(pair[1])]


def labelled(data, leave_out):
    """{set: {intent: texts}} for stage 2."""
    parts = {
        "sgd": [(said, intent) for _, intent, _, said in sets.sgd(data) if "," not in intent and intent != "NONE" and len(words_of(said)) > 4],
        "multidogo": [
            (text, intent) for *_, text, intent in sets.multidogo(data) if "<" not in intent and " " not in intent
            and not intent.endswith(("contentonly", "confirmation", "rejection", "outofdomain")) and len(words_of(text)) > 2
        ],
        "nlupp": sets.nlupp(data),
        "slurp": sets.slurp(data),
    }
    if leave_out != "clinc":
        clinc = sets.clinc(data)
        parts["clinc"] = [tuple(row) for part in ("train", "val", "test") for row in clinc[part]]
    if leave_out != "banking":
        parts["banking"] = sets.banking(data)
    if leave_out != "hwu":
        parts["hwu"] = [row for part in ("train", "valid") for row in sets.hwu(data)[part]]
    tested = {"clinc": lambda: {sets.key(t) for part in sets.clinc(data).values() for t, _ in part},
              "banking": lambda: {sets.key(t) for t, _ in sets.banking(data)},
              "hwu": lambda: {sets.key(t) for part in sets.hwu(data).values() for t, _ in part}}
    seen = tested[leave_out]() if leave_out in tested else set()
    groups = {}
    for name, rows in parts.items():
        by_intent = collections.defaultdict(dict)
        for text, intent in rows:
            if sets.key(text) not in seen:
                by_intent[intent][sets.key(text)] = text
        groups[name] = {intent: sorted(texts.values()) for intent, texts in by_intent.items() if len(texts) >= 4}
    return groups


def contrast(a, b, scale):
    logits = a @ b.T * scale
    truth = torch.arange(len(a))
    return (functional.cross_entropy(logits, truth) + functional.cross_entropy(logits.T, truth)) / 2


def supervised(vectors, labels, scale):
    """Supervised contrastive loss (Khosla et al., 2020)."""
    logits = vectors @ vectors.T * scale
    itself = torch.eye(len(labels), dtype=torch.bool)
    logits = logits.masked_fill(itself, -1e4)
    same = (labels[:, None] == labels[None, :]) & ~itself
    share = logits - torch.logsumexp(logits, 1, keepdim=True)
    return -((share * same).sum(1) / same.sum(1).clamp(min=1)).mean()


def pair_step(model, feed, batch):
    both = model.distinct(*feed([a for a, _ in batch] + [b for _, b in batch]))
    return contrast(both[: len(batch)], both[len(batch) :], 16.0)


def train_general(args, generator):
    vocabulary, vectors = word_vectors(args.data)
    tokeniser = Tokeniser(vocabulary, BUCKETS)
    model = Encoder(tokeniser.size)
    with torch.no_grad():
        model.table.weight[2 : 2 + len(vocabulary)] = torch.tensor(vectors, dtype=torch.float32)
    tasks = {name: usable(pairs) for name, pairs in pairs_of(args.data, generator).items()}
    shares = {"answers": 5, "meanings": 3, "uses": 2, "questions": 1}
    print({name: len(pairs) for name, pairs in tasks.items()}, flush=True)
    json.dump({"vocabulary": vocabulary, "buckets": BUCKETS}, open(os.path.join(args.out, "tokeniser.json"), "w"))
    pool = [name for name, share in shares.items() for _ in range(share)]
    feed = Feeder(tokeniser, generator)
    step = lambda: pair_step(model, feed, generator.sample(tasks[generator.choice(pool)], 256))
    run(args, model, step, args.steps or GENERAL_STEPS, 2e-3, "general.pt")


def train_topics(args, generator):
    saved = json.load(open(os.path.join(args.out, "tokeniser.json")))
    tokeniser = Tokeniser(saved["vocabulary"], saved["buckets"])
    model = Encoder(tokeniser.size)
    model.load_state_dict(torch.load(os.path.join(args.out, "general.pt")))
    groups = labelled(args.data, args.leave_out)
    print({name: (len(group), sum(map(len, group.values()))) for name, group in groups.items()}, flush=True)
    feed = Feeder(tokeniser, generator)
    tasks = {name: usable(pairs) for name, pairs in pairs_of(args.data, generator).items()}
    rest = tasks["answers"][:: 4] + tasks["meanings"] + tasks["uses"] + tasks["questions"]
    shares = {"sgd": 1, "multidogo": 1, "nlupp": 1, "slurp": 1, "clinc": 5, "banking": 3, "hwu": 3}
    pool = [name for name in groups for _ in range(shares[name])]

    def step():
        group = groups[generator.choice(pool)]
        intents = generator.sample(sorted(group), min(len(group), 64))
        each = max(4, 256 // len(intents)) if len(intents) >= 16 else 8
        rows = [(text, at) for at, intent in enumerate(intents) for text in generator.sample(group[intent], min(each, len(group[intent])))]
        vectors = model.distinct(*feed([text for text, _ in rows]))
        loss = supervised(vectors, torch.tensor([at for _, at in rows]), 12.0)
        return loss + 0.3 * pair_step(model, feed, generator.sample(rest, 64))

    name = f"topics-{args.leave_out or 'all'}.pt"
    run(args, model, step, args.steps or 350, 1.5e-3, name)


def run(args, model, step, steps, rate, name):
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01)
    plan = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps, pct_start=0.1)
    start, total = time.time(), 0.0
    for at in range(1, steps + 1):
        loss = step()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        plan.step()
        total += loss.item()
        if at % 50 == 0 or at == steps:
            print(f"step {at} loss {total / 50:.3f} {time.time() - start:.0f} s", flush=True)
            total = 0.0
            torch.save(model.state_dict(), os.path.join(args.out, name))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--stage", choices=["general", "topics"], required=True)
    parser.add_argument("--leave-out", choices=["clinc", "banking", "hwu"])
    parser.add_argument("--steps", type=int)
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    torch.manual_seed(SEED)
    (train_general if args.stage == "general" else train_topics)(args, random.Random(SEED))
