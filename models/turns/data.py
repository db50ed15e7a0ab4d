"""Turns to train and test on, read from the data folder: each a list of words with what is known at each of them."""

import csv
import difflib
import gzip
import io
import json
import random
import re
import tarfile
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from answers import Maker
from text import KINDS, kind_of, words

FINISHED, GOES_ON = 1, 0
# multidogo's fast food domain and CLINC are never trained on: they are the unseen domains.
UNSEEN_DOMAIN = "fastfood"


@dataclass
class Turn:
    source: str
    conversation: str
    agent: list
    words: list
    # Per word: is the turn finished after it, how much the example counts, is a sentence finished after it (-1: unknown).
    finished: list
    weight: list
    complete: list
    expected: dict = field(default_factory=lambda: {"kind": "open"})
    # The turn's real end is the last word (false for windows of a longer turn).
    ended: bool = True
    # How much "a sentence is finished" counts at each word, where that differs from `weight`.
    heed: list = None


def jsonl(path):
    with gzip.open(path, "rt") as f:
        return [json.loads(line) for line in f]


def timed_turns(path, source):
    """Turns with the pauses people really made, put together again from rows of growing text."""
    chains = []
    last = None
    for row in jsonl(path):
        text = row["text"].split()
        added = grown(last, row, text)
        if added is None:
            chains.append((row["conversation"], row["agent"].split(), list(text), []))
        else:
            chains[-1][2].extend(added)
        said, marks = chains[-1][2], chains[-1][3]
        marks.append((len(said) - 1, row["end"], row["pause"], row["mid"]))
        last = None if row["end"] else row
    for conversation, agent, said, marks in chains:
        said = ["".join(words(w)) or "uh" for w in said]
        agent = words(" ".join(agent))
        yield from windows(Turn(source, conversation, agent, said, *labels(len(said), marks)))


def grown(last, row, text):
    """The words that `row` adds to the row before it, or None where it begins a turn."""
    if last is None or last["conversation"] != row["conversation"]:
        return None
    before = last["text"].split()
    if len(before) < 48 and len(text) > len(before) and text[: len(before)] == before:
        return text[len(before) :]
    if len(text) == 48:
        for new in range(1, 48):
            if before[-(48 - new) :] == text[: 48 - new]:
                return text[48 - new :]
    return None


def labels(count, marks):
    finished, weight, complete = [0] * count, [0.05] * count, [-1] * count
    for at, end, pause, mid in marks:
        finished[at] = end
        complete[at] = 1 if end or not mid else 0
        if end:
            weight[at] = 1.2
        elif 0.2 <= pause <= 5:
            weight[at] = 1.0 if mid else 0.3
        else:
            weight[at] = 0.3
    return finished, weight, complete


def windows(turn, size=60, stride=36):
    if len(turn.words) <= size:
        turn.ended = bool(turn.finished[-1])
        yield turn
        return
    start = 0
    while True:
        end = min(start + size, len(turn.words))
        skip = size - stride if start else 0
        weight = [0.0] * skip + turn.weight[start + skip : end]
        last = end == len(turn.words)
        yield Turn(turn.source, turn.conversation, turn.agent, turn.words[start:end], turn.finished[start:end], weight, turn.complete[start:end], turn.expected, last and bool(turn.finished[-1]))
        if last:
            return
        start += stride


# How long one speaker's dialogue acts may lie apart to be read as one stretch, s.
TOGETHER = 1.5


def acts(data, split):
    """Stretches of one speaker's dialogue acts: where sentences end, whether anybody paused there or not."""
    meetings = set((data / f"turns/mrda/{split}_split.txt").read_text().split())
    pause = json.loads((data / "turns/eval/pause-probability.json").read_text())
    with tarfile.open(data / "turns/mrda/mrda.tar.gz") as tar:
        for member in sorted(tar.getmembers(), key=lambda m: m.name):
            name = Path(member.name).stem
            if member.isfile() and name in meetings:
                yield from meeting(name, io.TextIOWrapper(tar.extractfile(member), "utf8"), pause)


def meeting(name, lines, pause):
    open_, before = {}, {}
    for row in csv.reader(lines):
        if len(row) < 8 or not row[3] or row[3] != "A" or not row[4]:
            continue
        start, end, who, label = float(row[0]), float(row[1]), row[7], row[5]
        said = [w for token in row[4].split("|") for w in words(token.split("+")[-1].replace("o_k", "okay").replace("_", " "))]
        if not said or label.startswith("b") or label.startswith("z"):
            continue
        stretch = open_.get(who)
        if not stretch or start - stretch["end"] > TOGETHER or len(stretch["words"]) + len(said) > 60:
            if stretch:
                yield stretch_turn(name, stretch, pause)
            others = [w for other, (_, w) in sorted(before.items(), key=lambda item: item[1][0]) if other != who]
            stretch = open_[who] = {"agent": others[-1][-16:] if others else [], "words": [], "ends": []}
        whole = "%" not in label and not label.split("|")[-1].startswith(("fg", "fh", "h"))
        stretch["words"] += said
        stretch["ends"].append((len(stretch["words"]) - 1, whole))
        stretch["end"] = end
        before[who] = (start, said)
    for stretch in open_.values():
        yield stretch_turn(name, stretch, pause)


def stretch_turn(name, stretch, pause):
    said = stretch["words"][:60]
    complete = [0] * len(said)
    heed = [2 * pause.get(w, 0.08) for w in said]
    for at, whole in stretch["ends"]:
        if at < len(said):
            complete[at], heed[at] = int(whole), 0.5
    return Turn("acts", name, stretch["agent"], said, [0] * len(said), [0.0] * len(said), complete, ended=False, heed=heed)


def written_turn(source, conversation, agent, text, pause, scale=0.5):
    """A turn from text without times: cuts count as much as people pause after such a word."""
    said, ends = [], []
    for sentence in re.split(r"(?<=[.?!])\s+", text.strip()):
        part = words(sentence)
        if part:
            said += part
            ends.append(len(said) - 1)
    if not said or len(said) > 60:
        return None
    finished, complete = [0] * len(said), [0] * len(said)
    weight = [scale * 4 * pause.get(w, 0.08) for w in said]
    for at in ends[:-1]:
        complete[at], weight[at] = 1, scale * 0.3
    finished[-1], complete[-1], weight[-1] = 1, 1, scale
    return Turn(source, conversation, words(agent)[-16:], said, finished, weight, complete)


def guess_kind(agent, rng):
    """What a written agent asked for, where it is plain; half the time unknown, as in an agent file without it."""
    text = " ".join(agent)
    if rng.random() < 0.5:
        return {"kind": "open"}
    for kind, pattern in (("email", r"\be ?mail\b"), ("date", r"\b(what|which|when).*\b(date|day|when|born)\b"), ("name", r"\bname\b"), ("digits", r"\b(number|code|zip|digits)\b"), ("yes-no", r"^(so |okay |and )?(is|are|do|does|did|can|could|would|should|shall|will|have|has)\b")):
        if re.search(pattern, text) and not (kind != "yes-no" and len(agent) > 14):
            return {"kind": kind}
    return {"kind": "open"}


def sgd(data, part, pause):
    rng = random.Random(7)
    with gzip.open(data / f"turns/sgd/{part}.tsv.gz", "rt") as f:
        for line in f:
            conversation, _, agent, text = line.rstrip("\n").split("\t")
            turn = written_turn("sgd", conversation, agent, text, pause)
            if turn:
                turn.expected = guess_kind(turn.agent, rng)
                yield turn


def multidogo(data, part, pause):
    with tarfile.open(data / "turns/multidogo/turn_level.tar.gz") as tar:
        for member in tar.getmembers():
            if not member.isfile() or not member.name.endswith(f"/{part}.tsv"):
                continue
            domain = member.name.split("/")[-2]
            lines = io.TextIOWrapper(tar.extractfile(member), "utf8")
            for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
                turn = written_turn(f"multidogo-{domain}", row["conversationId"], "", row["utterance"] or "", pause, 0.25)
                if turn:
                    yield turn


def taskmaster(data, pause):
    agent = ""
    last = None
    with gzip.open(data / "turns/taskmaster4/turns.tsv.gz", "rt") as f:
        for line in f:
            conversation, _, who, text = (line.rstrip("\n").split("\t") + [""] * 4)[:4]
            if conversation != last:
                agent = ""
                last = conversation
            if who == "user":
                turn = written_turn("taskmaster4", conversation, agent, text, pause)
                if turn:
                    yield turn
            else:
                agent = text


def disfluent(data, part, pause):
    with gzip.open(data / f"turns/disfl_qa/{part}.json.gz", "rt") as f:
        for key, row in json.load(f).items():
            turn = written_turn("disfl_qa", key, "", row["disfluent"], pause, 0.3)
            if turn:
                yield turn


def clinc(data, part, pause):
    with gzip.open(data / "topics/clinc150/data.json.gz", "rt") as f:
        for text, _ in json.load(f)[part]:
            turn = written_turn("clinc150", text, "", text, pause)
            if turn:
                yield turn


def answers(split, count, seed):
    maker = Maker(split, seed)
    for number in range(count):
        _, agent, expected, said, holds = maker.turn()
        said = [w for part in said for w in words(part)] if len(said) == len([w for part in said for w in words(part)]) else None
        if not said:
            continue
        marks = [(at, 0, 0.5, True) for at in holds] + [(len(said) - 1, 1, 0.2, False)]
        finished, weight, complete = labels(len(said), marks)
        yield Turn("answers", f"answers-{number}", words(agent)[-16:], said, finished, weight, complete, expected)


def heard(path):
    """Made callers as the recogniser heard them, a row each: what is known is known of the last word alone."""
    for line in Path(path).read_text().splitlines():
        row = json.loads(line)
        said = words(row["text"])[-60:]
        if said:
            before = [0.0] * (len(said) - 1)
            finished, complete = [0] * len(said), [-1] * (len(said) - 1) + [row["end"]]
            finished[-1] = row["end"]
            yield Turn("heard", row["conversation"], words(row["agent"])[-16:], said, finished, before + [1.0], complete, row["expected"], ended=False)


def confusions(path):
    """{words: (how often they are misheard, [what was heard instead])} of up to three words of made callers."""
    said, misheard = Counter(), defaultdict(list)
    for line in Path(path).read_text().splitlines():
        row = json.loads(line)
        ideal, got = words(row["spoken"]), words(row["text"])
        for size in (1, 2, 3):
            said.update(tuple(ideal[at : at + size]) for at in range(len(ideal) - size + 1))
        for how, a, b, c, d in difflib.SequenceMatcher(None, ideal, got, autojunk=False).get_opcodes():
            if how in ("replace", "delete") and b - a <= 3 and d - c <= 4:
                misheard[tuple(ideal[a:b])].append(got[c:d])
    return {span: (len(found) / said[span], found) for span, found in misheard.items()}


def training(data):
    data = Path(data)
    pause = json.loads((data / "turns/eval/pause-probability.json").read_text())
    turns = list(timed_turns(data / "turns/eval/endpointing-mrda-train.jsonl.gz", "mrda"))
    turns += acts(data, "train")
    turns += sgd(data, "train", pause)
    turns += [t for t in multidogo(data, "train", pause) if not t.source.endswith(UNSEEN_DOMAIN)]
    turns += taskmaster(data, pause)
    turns += disfluent(data, "train", pause)
    turns += answers("train", 24000, 1)
    return turns


def truncations(turns, pause, seed=5):
    """Eval rows from turns without times: the whole turn, and one cut where people are likely to pause."""
    rng = random.Random(seed)
    for turn in turns:
        row = {"conversation": turn.conversation, "agent": " ".join(turn.agent), "pause": 0.5}
        if turn.expected["kind"] != "open":
            row["expected"] = turn.expected
        yield {**row, "text": " ".join(turn.words), "end": 1, "mid": False}
        if len(turn.words) > 1:
            inside = range(len(turn.words) - 1)
            at = rng.choices(inside, [pause.get(turn.words[i], 0.08) for i in inside])[0]
            yield {**row, "text": " ".join(turn.words[: at + 1]), "end": 0, "mid": turn.complete[at] == 0}


def kind_ids(turn):
    """The kind token at every word of the turn (a number's length may be reached in the middle of it)."""
    return [KINDS.index(kind_of(turn.expected, turn.words[: i + 1])) for i in range(len(turn.words))]
