#!/usr/bin/env python3
"""Calibrates the trained nets and writes what ships: vocabulary.txt, endpoint.onnx, interruption.onnx, fixtures.json."""

import argparse
import json
import pickle
from pathlib import Path

import numpy as np
import torch

import data
import earlier
import export
import score
import states
import train_interruption
import train_interruption_language as bursts
import train_language
from text import KINDS, Tokeniser, kind_of, words
from vocabulary import load, save

HERE = Path(__file__).resolve().parent
SPOKEN = [
    ("I'd like to cancel my order, please.", "How can I help you today?", {"kind": "open"}),
    ("it's jane.doe42@gmail.com", "What's your e-mail address?", {"kind": "email"}),
    ("4 8 3 0 oh double five", "Please say your account number.", {"kind": "digits"}),
    ("555-1234", "What's your phone number?", {"kind": "digits", "length": 10}),
    ("T for tango, R & B, zyzzyvax", "Could you spell that?", {"kind": "spelling"}),
    ("uh-huh", "", {"kind": "yes-no"}),
    ("that's $1,250.50 on the 21st", "Which one?", {"kind": "open"}),
    ("so I was wondering whether um", "Is that right?", {"kind": "yes-no"}),
    (" ".join(f"word number {i}" for i in range(40)), "agent " * 30, {"kind": "name"}),
    ("Naïve café, ’tis 007", "Weiter?", {"kind": "date"}),
]


def platt(logits, labels, weights, steps=300):
    """scale, shift of the logits that make them calibrated."""
    a = torch.tensor([1.0, 0.0], requires_grad=True)
    x, y, w = (torch.tensor(np.asarray(v), dtype=torch.float32) for v in (logits, labels, weights))
    optimiser = torch.optim.LBFGS([a], max_iter=steps)

    def closure():
        optimiser.zero_grad()
        loss = (torch.nn.functional.binary_cross_entropy_with_logits(x * a[0] + a[1], y, reduction="none") * w).sum() / w.sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    return float(a[0]), float(a[1])


def logit(p):
    p = np.clip(p, 1e-7, 1 - 1e-7)
    return np.log(p / (1 - p))


def even(labels):
    """Weights that make both labels count the same."""
    y = np.asarray(labels, float)
    return np.where(y == 1, 0.5 / y.mean(), 0.5 / (1 - y.mean())) / len(y)


def predict(net, heads, tokeniser, rows, name, out):
    """The mean logits of the heads on these rows."""
    known = states.of_rows(name, rows, net, tokeniser, out)
    return np.mean([train_language.logits(head, *known) for head in heads], 0)


def calibrate_endpoint(x, sets):
    mixed, y, w = [], [], []
    for name in ("switchboard", "mrda", "sgd", "answers"):
        keep = [i for i, r in enumerate(sets[name]) if r["end"] or r["mid"]]
        mixed.append(x[name][keep])
        y.append([sets[name][i]["end"] for i in keep])
        w.append(even(y[-1]))
    return platt(np.concatenate(mixed), np.concatenate(y), np.concatenate(w))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--endpoint", nargs="+", help="nets, each trained from the one before it, the heads on the mean of their weights: it ships; without any, only the interruption net is written")
    parser.add_argument("--heads", nargs="+", default=["4", "5", "6"], help="seeds of train_language.py: the mean of their logits ships")
    parser.add_argument("--burst-share", type=float, default=0.5, help="how much the heads of train_interruption_language.py count in the interruption model")
    parser.add_argument("--endpoint-only", action="store_true", help="leaves the vocabulary and the interruption net as they are")
    options = parser.parse_args()
    out, folder = Path(options.out), Path(options.data)
    if not options.endpoint:
        kept = json.loads((HERE / "fixtures.json").read_text())
        write_fixtures(kept["endpoint"], export_interruption(out, folder, Tokeniser(load(HERE / "vocabulary.txt")), options.burst_share))
        return
    vocabulary, base = pickle.loads((out / "vocabulary.pickle").read_bytes())
    if options.endpoint_only:
        vocabulary = load(HERE / "vocabulary.txt")
    tokeniser = Tokeniser(vocabulary)
    net = earlier.mean(options.endpoint, base)
    sets = pickle.loads((out / "sets.pickle").read_bytes())
    heads = []
    for seed in options.heads:
        heads.append(train_language.LanguageHead())
        heads[-1].load_state_dict(torch.load(out / f"language-{seed}.pt"))
    x = {name: predict(net, heads, tokeniser, rows, name, out) for name, rows in sets.items()}
    scale, shift = calibrate_endpoint(x, sets)
    print("endpoint calibration", scale, shift)
    for name, rows in sets.items():
        print(name, score.endpointing(rows, 1 / (1 + np.exp(-(x[name] * scale + shift)))), flush=True)
    export.endpoint(str(HERE / "endpoint.onnx"), net, [head.state_dict() for head in heads], train_language.ALONE, scale, shift, "P(turn finished)")
    endpoint = endpoint_fixtures(tokeniser, net, heads, scale, shift, out)
    if options.endpoint_only:
        write_fixtures(endpoint, json.loads((HERE / "fixtures.json").read_text())["interruption"])
        return
    save(vocabulary, HERE / "vocabulary.txt")
    write_fixtures(endpoint, export_interruption(out, folder, tokeniser, options.burst_share))


def export_interruption(out, folder, tokeniser, share):
    """Calibrates and writes the interruption nets and heads; gives their fixtures."""
    _, table = torch.load(out / "embedding.pt")
    states_ = torch.load(out / "interruption.pt")
    judges = []
    for state in states_:
        judge = train_interruption.InterruptionNet(table)
        judge.load_state_dict(state)
        judges.append(judge.eval())
    heads = bursts.load(out)
    both = lambda rows, name, times: bursts.mixed(logit(train_interruption.predict(judges, tokeniser, rows)), heads, rows, bursts.of_rows(name, rows, out), share)[:, :times]
    x, labels = [], []
    for name in ("mrda", "switchboard"):
        rows = train_interruption.clean(data.jsonl(folder / f"turns/eval/interruption-{name}.jsonl.gz"))
        whole = both(rows, name, 4)
        print("interruption", name, train_interruption.figures(rows, 1 / (1 + np.exp(-whole))), flush=True)
        x.append(whole[:, :3].reshape(-1))
        labels.append(np.repeat([r["real"] for r in rows], 3))
    labels = np.concatenate(labels)
    scale, shift = platt(np.concatenate(x), labels, even(labels))
    print("interruption calibration", scale, shift)
    export.interruption(str(HERE / "interruption.onnx"), table, states_, [head.state_dict() for head in heads], share, scale, shift, "P(real interruption)")
    return interruption_fixtures(tokeniser, judges, heads, share, scale, shift, out)


def interruption_fixtures(tokeniser, judges, heads, share, scale, shift, work):
    sig = lambda x: float(1 / (1 + np.exp(-x)))
    said = [("", "your order will", 300, True, 300), ("yeah", "your order will arrive", 500, False, 200), ("no wait that's", "on Monday at nine", 800, True, 50), ("uh-huh", "and then", 800, False, None)]
    language = bursts.Known("bursts-fixtures", work, [" ".join(words(text)) for text, *_ in said])
    out = []
    for text, agent, elapsed, speaking, since in said:
        heard = words(text)
        numbers = train_interruption.dense(elapsed / 1000, speaking, -1.0 if since is None else since / 1000, len(heard))
        ids, last, x, _, _ = train_interruption.batch_of([(train_interruption.code(tokeniser, words(agent), heard), numbers, 0.0, 1.0)])
        with torch.no_grad():
            z = float(sum(j(ids, last, x) for j in judges) / len(judges))
        known = bursts.logit(heads, [heard], [numbers], language)[0] if heard else z
        z += bursts.counts(elapsed / 1000, share) * (known - z)
        burst = {"words": text, "agent": agent, "elapsedMs": elapsed, "speaking": speaking, "probability": round(sig(z * scale + shift), 4)}
        out.append(burst if since is None else {**burst, "sinceLastWordMs": since})
    return out


def endpoint_fixtures(tokeniser, net, heads, scale, shift, work):
    rows = [{"text": text, "agent": agent, "expected": expected} for text, agent, expected in SPOKEN]
    p = 1 / (1 + np.exp(-(predict(net, heads, tokeniser, rows, "fixtures", work) * scale + shift)))
    out = []
    for (text, agent, expected), probability in zip(SPOKEN, p):
        said = words(text)
        out.append({"words": text, "agent": agent, "expected": expected, "plain": said, "ids": tokeniser.encode(said, words(agent), kind_of(expected, said)), "probability": round(float(probability), 4)})
    return out


def write_fixtures(endpoint, bursts):
    (HERE / "fixtures.json").write_text(json.dumps({"endpoint": endpoint, "interruption": bursts}, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
