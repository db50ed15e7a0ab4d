#!/usr/bin/env python3
"""Trains the interruption nets on the embedding of the trained endpointing net. See README.md."""

import argparse
import json
import math
import pickle
import random
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper
from torch import nn

import data
import vocabulary
from net import EndpointNet
from text import Tokeniser, words
from train_endpoint import HERE, cached

TIMES = (0.3, 0.5, 0.8, None)
WORDS = 16
DENSE = 6
STOPS = "stop,wait,no,hold on,hang on,excuse me,sorry,agent,operator,representative,no no,no no no,wait wait,stop stop,hey,actually,no wait,stop it,please stop,let me stop you,one second,just a second,can i speak to someone,speak to a person,what,pardon,hello,but,repeat that,say that again,i have a question,thats wrong,thats not right,thats not what i said".split(",")
LISTENING = "yeah,uh huh,uhhuh,mhm,mm hmm,mm,hmm,okay,ok,right,sure,got it,makes sense,thank you,thanks,alright,all right,cool,perfect,great,of course,i see,oh okay,oh i see,right right,yeah yeah,okay okay,okay thank you,yep,yup,ah,oh,wow,nice,good,fine,um,uh,er,i understand,understood,gotcha,exactly,yes,absolutely,no problem,sounds good,thats fine,okay great,okay cool,ah okay,yeah sure,yeah okay,yeah right".split(",")
LISTENING += "oh really,oh my,oh my gosh,oh my goodness,oh boy,oh wow,oh no,oh sure,oh dear,oh good,is that right,oh is that right,is that so,i know,i bet,i agree,youre right,you may be right,me too,no kidding,for sure,good for you,how nice,really,uh huh yeah,right yeah,yes yes,mm yeah,mm okay,yeah i know,oh i know,oh i bet,well thats good,yeah thats true,not bad,too bad,what a shame,good point,fair enough".split(",")
LISTENING += [f"{before}{what}" for before in ("thats ", "oh thats ", "yeah thats ", "well thats ") for what in "right,true,great,good,nice,interesting,amazing,funny,terrible,awful,wonderful,neat,cool,fine,too bad,a shame,for sure,incredible,sad".split(",")]
# What a listener exclaims or agrees to: meetings have little of it, telephone calls much, and it rarely takes the floor.
BEFORE = [""] * 4 + "oh,oh,oh,oh,oh,oh oh,right,ah,wow,huh,mm,yeah,yeah yeah,yes,well,uh,right".split(",")
EXCLAIMED = "really,okay,i see,my,my god,my gosh,gosh,my goodness,wow,yeah,sure,dear,boy,man,me,me too,me either,same here,likewise,is that right,is that so,i know,i know it,i understand,exactly,absolutely,definitely,certainly,precisely,thats true,thats right,thats it,thats interesting,thats amazing,thats great,thats good,thats nice,thats wonderful,thats terrible,thats awful,thats too bad,thats for sure,right,for sure,neat,great,fantastic,how nice,how funny,how awful,how about that,i can imagine,i imagine,i believe it,i believe that,i can believe that,i guess so,i guess,i think so,i suppose,i suppose so,id say so,i hear you,i hope so,that would be nice,that would be great,that would be fun,that must be hard,that makes sense,makes sense,wouldnt that be nice,i wouldnt be surprised,im not surprised,im sure,of course,you bet,what a shame,what a pity,good heavens,good grief,my word,goodness,interesting,incredible,unbelievable,uh huh,yep,true,very true,so true,too bad,not bad,no way,no kidding,fair enough".split(",")
OPENERS = "yeah,okay,right,oh,uh,um,well,so,but,and,no,yes,yeah but,okay so,oh wait,actually,sorry,well actually,yeah well,yes but,no no,okay but,right but,uh huh but".split(",")


def synthetic(folder, seed=3):
    """Bursts over a talking agent, in the words of callers, with times as people speak."""
    rng = random.Random(seed)

    def timed(said, drawl=1.0):
        at, out = rng.uniform(0.0, 0.12), []
        pace = rng.uniform(1.0, drawl)
        for word in said:
            at += pace * (0.09 + 0.045 * len(word) * rng.uniform(0.6, 1.5))
            out.append([word, round(at, 2)])
        return out

    turns = [t for t in data.sgd(folder, "train", {}) if t.agent]
    rng.shuffle(turns)
    rows = []
    for turn in turns[:2500]:
        if len(turn.words) > 2:
            rows.append({"agent": " ".join(rng.choice(turns).agent[: rng.randint(2, 16)]), "words": timed(turn.words[:20]), "real": 1, "weight": 0.4})
    for turn in turns[2500:5000]:
        if len(turn.words) > 2:
            said = rng.choice(OPENERS).split() + turn.words[:12]
            rows.append({"agent": " ".join(rng.choice(turns).agent[: rng.randint(2, 16)]), "words": timed(said), "real": 1, "weight": 0.4})
    for phrases, real, count in ((STOPS, 1, 1500), (LISTENING, 0, 3000)):
        for _ in range(count):
            agent = rng.choice(turns).agent
            rows.append({"agent": " ".join(agent[: rng.randint(2, 16)]), "words": timed(rng.choice(phrases).split()), "real": real, "weight": 0.5})
    for _ in range(7000):
        agent = rng.choice(turns).agent
        said = f"{rng.choice(BEFORE)} {rng.choice(EXCLAIMED if rng.random() < 0.7 else LISTENING)}".split()
        rows.append({"agent": " ".join(agent[: rng.randint(2, 16)]), "words": timed(said, 2.2), "real": 0, "weight": 1.0})
    return rows


def agreed(rows):
    """The rows without exclamations that a meeting counts as questions or statements, where they are all that was said."""
    heard = set(LISTENING) | {f"{before} {what}".strip() for before in BEFORE for what in EXCLAIMED}
    return [row for row in rows if not (row["real"] and " ".join(w for w, _ in row["words"]) in heard - set(STOPS))]


# In how many bursts time passes before the first word, after it, or else after the second.
LATE, HALTING, LATER = 0.06, 0.12, 0.06


def paused(row, rng):
    """A burst as people have them on the telephone, who laugh, breathe and think more than people at a meeting."""
    said = row["words"]
    if rng.random() < LATE:
        said = later(said, 0, rng.expovariate(1) + 0.1)
    if len(said) > 1 and rng.random() < HALTING:
        said = later(said, 1, rng.expovariate(1) + 0.2)
    elif len(said) > 2 and rng.random() < LATER:
        said = later(said, 2, rng.expovariate(1) + 0.2)
    return {**row, "words": said}


def later(said, place, by):
    """Words of which those from `place` on come later, unless one of two that are one ("mm hmm") would."""
    if place and said[place][1] - said[place - 1][1] <= 0.03:
        return said
    return said[:place] + [[word, end + by] for word, end in said[place:]]


def known(row, at):
    """(words heard, still speaking, s since the last of them ended) at a time after onset."""
    last = row["words"][-1][1]
    if at is None:
        return [w for w, _ in row["words"][:WORDS]], False, 0.0, last
    heard = [(w, e) for w, e in row["words"] if e <= at]
    return [w for w, _ in heard[-WORDS:]], last > at, at - (heard[-1][1] if heard else 0.0), at


def dense(elapsed, speaking, since, count):
    """Numbers beside the words: `since` < 0 when the recogniser gave no times."""
    return [min(elapsed, 3.0) - 0.6, float(speaking), min(max(since, 0.0), 1.0), float(since < 0), min(count, 6) / 3 - 0.5, float(count == 0)]


class InterruptionNet(nn.Module):
    def __init__(self, table, hidden=96, dropout=0.3):
        super().__init__()
        self.register_buffer("table", torch.as_tensor(table), persistent=False)
        self.drop = nn.Dropout(dropout)
        self.gru = nn.GRU(table.shape[1], hidden, batch_first=True)
        self.judge = nn.Sequential(nn.Linear(hidden + DENSE, 48), nn.GELU(), nn.Dropout(0.2), nn.Linear(48, 1))

    def forward(self, ids, last, numbers):
        h, _ = self.gru(self.drop(self.table[ids]))
        h = h[torch.arange(len(ids)), last]
        return self.judge(torch.cat([self.drop(h), numbers], 1))[:, 0]


def code(tokeniser, agent, heard):
    before = [i for w in agent[-16:] for i in tokeniser.word(w)][-28:]
    return before + [1] + [i for w in heard for i in tokeniser.word(w)][-32:]


def batch_of(items):
    longest = max(len(i[0]) for i in items)
    ids = torch.tensor([i[0] + [0] * (longest - len(i[0])) for i in items])
    last = torch.tensor([len(i[0]) - 1 for i in items])
    return ids, last, torch.tensor([i[1] for i in items]), torch.tensor([i[2] for i in items]), torch.tensor([i[3] for i in items])


def clean(rows):
    """Words as the tokeniser takes them."""
    for row in rows:
        row["agent"] = words(row["agent"])
        row["words"] = [["".join(words(w)) or "uh", e] for w, e in row["words"]]
    return rows


def alike(items, rng, size=256):
    """Shuffled batches of items of nearly one length: little padding."""
    rng.shuffle(items)
    chunks = [sorted(items[at : at + 16 * size], key=lambda item: len(item[0])) for at in range(0, len(items), 16 * size)]
    batches = [chunk[at : at + size] for chunk in chunks for at in range(0, len(chunk) - size + 1, size)]
    rng.shuffle(batches)
    return batches


def train(rows, table, tokeniser, seed, epochs, check):
    torch.manual_seed(seed)
    rng = random.Random(seed)
    common = [p for p in tokeniser.pieces[70:2000] if p.isalpha()]
    net = InterruptionNet(table)
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.02)
    per_epoch = len(rows) * 4 // 256
    step, steps = 0, per_epoch * epochs
    for epoch in range(epochs):
        items = []
        for row in rows:
            row = paused(row, rng)
            for at in (rng.uniform(0.2, 0.4), rng.uniform(0.4, 0.65), rng.uniform(0.65, 1.0), rng.choice([None, rng.uniform(1, 2)])):
                heard, speaking, since, elapsed = known(row, at)
                if heard and rng.random() < 0.06:
                    heard = heard[:-1] + [rng.choice(common)] if rng.random() < 0.3 else heard[:-1]
                # Often another row's: what is made must not be known by its agent.
                agent = row["agent"] if rng.random() < 0.5 else rng.choice(rows)["agent"]
                agent = agent if rng.random() > 0.25 else agent[rng.randint(0, len(agent)) :]
                timing = since if rng.random() > 0.25 else -1.0
                # How many bursts are made says nothing about a burst whose first word is not heard yet.
                weight = row.get("weight", 1.0) if heard or "weight" not in row else 0.0
                items.append((code(tokeniser, agent, heard), dense(elapsed, speaking, timing, len(heard)), float(row["real"]), weight))
        net.train()
        for batch in alike(items, rng):
            rate = 2e-3 * min(1, step / 100) * (0.02 + 0.49 * (1 + math.cos(math.pi * min(1, step / steps))))
            for group in optimiser.param_groups:
                group["lr"] = rate
            ids, last, numbers, y, w = batch_of(batch)
            y = y * 0.98 + 0.01
            loss = (F.binary_cross_entropy_with_logits(net(ids, last, numbers), y, reduction="none") * w).mean()
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            step += 1
        check(f"seed {seed} epoch {epoch + 1} loss {loss.item():.3f}", [net], epoch + 1 >= epochs - 1)
    return net


@torch.no_grad()
def predict(nets, tokeniser, rows):
    out = np.zeros((len(rows), 4))
    for k, at in enumerate(TIMES):
        items = []
        for row in rows:
            heard, speaking, since, elapsed = known(row, at)
            items.append((code(tokeniser, row["agent"], heard), dense(elapsed, speaking, since, len(heard)), 0.0, 1.0))
        ids, last, numbers, _, _ = batch_of(items)
        for net in nets:
            net.eval()
        logits = sum(net(ids, last, numbers) for net in nets) / len(nets)
        out[:, k] = torch.sigmoid(logits).numpy()
    return out


def figures(rows, p):
    from sklearn.metrics import roc_auc_score

    y = np.array([r["real"] for r in rows])
    out = []
    for k in range(4):
        s = p[:, k]
        real = np.sort(s[y == 1])
        below = [round(float((s[y == 0] < real[min(len(real) - 1, int((1 - recall) * len(real)))]).mean()), 3) for recall in (0.95, 0.98)]
        out.append((round(float(roc_auc_score(y, s)), 3), *below))
    return out


def embedding(out, checkpoint):
    """The vocabulary and what a trained endpointing net, or an exported interruption net, knows of each piece."""
    if checkpoint.endswith(".onnx"):
        weights = {t.name: numpy_helper.to_array(t) for t in onnx.load(checkpoint).graph.initializer}
        return vocabulary.load(HERE / "vocabulary.txt"), weights["table"].astype(np.float32) * weights["table_scale"]
    pieces, base = pickle.loads((out / "vocabulary.pickle").read_bytes())
    kept = torch.load(checkpoint)
    net = EndpointNet(base, hidden=kept["hidden"], layers=kept["layers"])
    net.load_state_dict(kept["state"])
    return pieces, net.table().detach().numpy()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--embedding", help="the endpointing net whose embedding is shared")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=4)
    options = parser.parse_args()
    torch.set_num_threads(1)
    out = Path(options.out)
    folder = Path(options.data)
    if options.embedding:
        torch.save(embedding(out, options.embedding), out / "embedding.pt")
    vocabulary_, table = torch.load(out / "embedding.pt")
    tokeniser = Tokeniser(vocabulary_)
    read = lambda name: clean(data.jsonl(folder / f"turns/eval/interruption-{name}.jsonl.gz"))
    tests = {"switchboard": read("switchboard"), "mrda": read("mrda")}
    rows = agreed(read("mrda-train")) + clean(cached(out / "bursts.pickle", lambda: synthetic(folder)))

    def check(title, nets, last):
        if last:
            print(title, {name: figures(test, predict(nets, tokeniser, test)) for name, test in tests.items()}, flush=True)

    nets = []
    for seed in range(1, options.seeds + 1):
        nets.append(train(rows, table, tokeniser, seed, options.epochs, check))
        check(f"{len(nets)} together", nets, True)
        torch.save([net.state_dict() for net in nets], out / "interruption.pt")


if __name__ == "__main__":
    main()
