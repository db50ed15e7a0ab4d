"""Reads the data sets. Every function takes the folder that has `topics/` and `turns/` in it."""

import collections
import csv
import gzip
import io
import json
import os
import re
import tarfile

from text import words_of


def _tsv(path):
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield line.rstrip("\n").split("\t")


def _members(path, suffix):
    with tarfile.open(path) as archive:
        for member in sorted(archive.getnames()):
            if member.endswith(suffix):
                yield member, archive.extractfile(member).read().decode("utf-8")


def key(text):
    """Two texts with one key are the same sentence."""
    return " ".join(words_of(text))


def clinc(data):
    """{train, val, test, oos_train, oos_val} of [text, intent]."""
    with gzip.open(os.path.join(data, "topics/clinc150/data.json.gz"), "rt") as file:
        return json.load(file)


def banking(data):
    with open(os.path.join(data, "topics/banking77/train.csv"), encoding="utf-8", newline="") as file:
        return [(row["text"], row["category"]) for row in csv.DictReader(file)]


def hwu(data):
    """{train, train_5, train_10, valid} of (text, intent)."""
    parts = collections.defaultdict(dict)
    for suffix in ("seq.in", "label"):
        for member, content in _members(os.path.join(data, "topics/hwu64/hwu64.tar.gz"), suffix):
            parts[member.split("/")[0]][suffix] = content.splitlines()
    return {name: list(zip(part["seq.in"], part["label"])) for name, part in parts.items()}


def slurp(data):
    """Sentences that HWU64 has too are left out, whichever set is tested."""
    known = {key(text) for part in hwu(data).values() for text, _ in part}
    rows = {(key(row[2]), row[1]): row[2] for row in _tsv(os.path.join(data, "topics/slurp/devel.tsv.gz")) if len(row) > 2}
    return [(text, intent) for (plain, intent), text in rows.items() if plain not in known]


def nlupp(data):
    """Banking and hotels; the label is the set of intents."""
    rows = []
    for member, content in _members(os.path.join(data, "topics/banking77/nlupp.tar.gz"), ".json"):
        if "/fold" in member:
            domain = member.split("/")[-2]
            rows += [(row["text"], domain + ":" + "+".join(sorted(row["intents"]))) for row in json.loads(content) if row.get("intents")]
    return rows


def sgd(data):
    """(dialogue, intent, what the assistant said before, what the customer says)."""
    for part in ("train", "dev"):
        for row in _tsv(os.path.join(data, f"turns/sgd/{part}.tsv.gz")):
            if len(row) == 4:
                yield row


def multidogo(data):
    """(conversation, turn, text, domain:intent)."""
    for member, content in _members(os.path.join(data, "turns/multidogo/turn_level.tar.gz"), ".tsv"):
        domain = member.split("/")[-2]
        for row in csv.DictReader(io.StringIO(content), delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["utterance"] and row["intent"]:
                yield row["conversationId"], float(row["turnNumber"] or 0), row["utterance"], f"{domain}:{row['intent']}"


def taskmaster(data):
    """(dialogue, domain, speaker, text)."""
    return [row for row in _tsv(os.path.join(data, "turns/taskmaster4/turns.tsv.gz")) if len(row) == 4]


def disfl_qa(data):
    """(question, the same question as somebody says it who corrects himself)."""
    pairs = []
    for part in ("train", "dev", "test"):
        with gzip.open(os.path.join(data, f"turns/disfl_qa/{part}.json.gz"), "rt") as file:
            pairs += [(row["original"], row["disfluent"]) for row in json.load(file).values()]
    return pairs


def mrda(data):
    """Per meeting the (speaker, words) of its dialogue acts, in time."""
    for _, content in _members(os.path.join(data, "turns/mrda/mrda.tar.gz"), ".dadb"):
        acts = []
        for row in csv.reader(io.StringIO(content)):
            if len(row) > 7 and row[3]:
                text = " ".join(word.split("+")[-1] for word in row[4].split("|")) if len(row) > 4 else ""
                acts.append((row[7], text))
        yield acts


def background():
    """What callers say that is the business of no topic."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../src/agent/topics/background.ts")) as file:
        return re.findall(r"^  '(.*)',$", file.read(), re.M)


def wordnet(folder="/usr/share/wordnet"):
    """Per synset: (part of speech, its words with their counts of use, gloss, examples, words of its hypernyms and kin)."""
    counts = collections.Counter()
    with open(os.path.join(folder, "cntlist.rev")) as lines:
        for line in lines:
            sense, _, count = line.split()
            counts[sense.split("%")[0].lower()] += int(count)
    synsets = {}
    for part in ("noun", "verb", "adj", "adv"):
        with open(os.path.join(folder, f"data.{part}")) as lines:
            for line in lines:
                if line.startswith("  "):
                    continue
                head, _, gloss = line.partition("|")
                fields = head.split()
                size = int(fields[3], 16)
                words = [fields[4 + 2 * at].split("(")[0] for at in range(size)]
                pointers = fields[5 + 2 * size :]
                # In an unordered list of pointers: symbol, offset, part of speech, source and target.
                links = [
                    (symbol, offset, kind)
                    for symbol, offset, kind in zip(pointers, pointers[1:], pointers[2:])
                    if symbol in ("@", "&", "+", "*", ">", "$") and offset.isdigit() and len(offset) == 8
                ]
                texts = [text.strip(' "') for text in gloss.strip().split(";")]
                quoted = [text.strip() for text in gloss.split('"')[1::2]]
                meaning = gloss.split('"')[0].strip(" ;\n")
                kind = "asnv"[("adj", "adv", "noun", "verb").index(part)] if part != "adv" else "r"
                kind = {"adj": "a", "adv": "r", "noun": "n", "verb": "v"}[part]
                synsets[kind, fields[0]] = (words, meaning, quoted, links)
    for (kind, _), (words, meaning, quoted, links) in synsets.items():
        near = []
        for _, offset, other in links:
            linked = synsets.get(({"s": "a"}.get(other, other), offset))
            if linked:
                near.append(linked[0])
        plain = [word.replace("_", " ") for word in words]
        yield plain, [counts[word.lower()] for word in words], meaning, quoted, [[w.replace("_", " ") for w in group] for group in near]
