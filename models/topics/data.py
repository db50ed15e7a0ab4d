"""Reads the data sets. Every function takes the folder that has `topics/` in it."""

import collections
import csv
import gzip
import json
import os
import re
import tarfile


def _members(path, suffix):
    with tarfile.open(path) as archive:
        for member in sorted(archive.getnames()):
            if member.endswith(suffix):
                yield member, archive.extractfile(member).read().decode("utf-8")


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


def background():
    """What callers say that is the business of no topic."""
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../src/agent/topics/background.ts")) as file:
        return re.findall(r"^  '(.*)',$", file.read(), re.M)
