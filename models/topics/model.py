"""The encoder: words and their letter groups, one layer of attention, attention pooling; beside it what is known of the words."""

import json
import math
import os

import numpy
import torch
from torch import nn
from torch.nn import functional

from data import background
from text import MAX_WORDS, WIDTH, Tokeniser

DEPTH = 128
HEADS = 4
OUT = 256


class Encoder(nn.Module):
    def __init__(self, size, unknown_letters=0.25):
        super().__init__()
        self.table = nn.Embedding(size, DEPTH, padding_idx=0)
        nn.init.normal_(self.table.weight, std=0.05)
        self.position = nn.Parameter(torch.zeros(MAX_WORDS, DEPTH))
        self.norm_in = nn.LayerNorm(DEPTH)
        self.qkv = nn.Linear(DEPTH, 3 * DEPTH)
        self.project = nn.Linear(DEPTH, DEPTH)
        self.norm_mid = nn.LayerNorm(DEPTH)
        self.widen = nn.Linear(DEPTH, 2 * DEPTH)
        self.narrow = nn.Linear(2 * DEPTH, DEPTH)
        self.norm_out = nn.LayerNorm(DEPTH)
        self.attend = nn.Linear(DEPTH, HEADS)
        self.out = nn.Linear(2 * DEPTH, OUT)
        self.drop = nn.Dropout(0.1)

    def words(self, ids):
        """ids: [..., WIDTH] -> [..., DEPTH]: a word's own row and the mean of its letter groups'."""
        rows = self.table(ids)
        groups = (ids[..., 1:] != 0).float().sum(-1, keepdim=True).clamp(min=1)
        return rows[..., 0, :] + rows[..., 1:, :].sum(-2) / groups

    def forward(self, ids):
        """ids: [texts, words, WIDTH] -> [texts, OUT] of unit length."""
        return self.mix(self.words(ids), (ids[:, :, 0] != 0).float())

    def distinct(self, rows, index):
        """The same for training, each distinct word of the batch once: rows [distinct, WIDTH], index [texts, words]."""
        return self.mix(functional.embedding(index, self.words(rows)), (index != 0).float())

    def mix(self, bag, mask):
        texts, length = mask.shape
        h = self.drop(self.norm_in(bag) + self.position[:length])
        hidden = (1 - mask)[:, None, None, :] * -1e4
        q, k, v = self.qkv(h).view(texts, length, 3, HEADS, DEPTH // HEADS).permute(2, 0, 3, 1, 4)
        weights = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(DEPTH // HEADS) + hidden, -1)
        mixed = (weights @ v).permute(0, 2, 1, 3).reshape(texts, length, DEPTH)
        h = self.norm_mid(h + self.drop(self.project(mixed)))
        h = self.norm_out(h + self.drop(self.narrow(functional.gelu(self.widen(h)))))
        pull = torch.softmax(self.attend(h) + (1 - mask)[:, :, None] * -1e4, 1)
        parts = h.view(texts, length, HEADS, DEPTH // HEADS)
        pooled = (parts * pull[:, :, :, None]).sum(1).reshape(texts, DEPTH)
        mean = (bag * mask[:, :, None] * torch.sigmoid(pull.sum(2, keepdim=True))).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
        out = self.out(torch.cat([pooled, functional.layer_norm(mean, (DEPTH,))], 1))
        return unit(out)


class Both(nn.Module):
    """
    The encoder's vector and, with the same weight, the mean of what is known of the words (words.py), rare ones first.
    Nothing of the latter is trained: words that no training text has keep their place among the others.
    """

    def __init__(self, encoder, known):
        super().__init__()
        self.encoder = encoder
        words, width = known.shape
        share = 1 / (10 + numpy.arange(words))
        rarity = 1e-3 / (1e-3 + share / share.sum())
        rows = numpy.zeros((2 + words, width))
        rows[2:] = known * rarity[:, None]
        self.register_buffer("known", torch.tensor(rows, dtype=torch.float32))
        #: Of texts of all kinds.
        self.register_buffer("centre", torch.zeros(width))

    def forward(self, ids):
        """ids: [texts, words, WIDTH] -> [texts, OUT + what is known of a word] of unit length."""
        return torch.cat([self.encoder(ids), unit(self.sum(ids) - self.centre)], 1) * 0.5**0.5

    def sum(self, ids):
        return functional.embedding(ids[:, :, 0], self.known).sum(1)


def loaded(build, name):
    """(what ships, with the encoder whose weights are `name` in the folder `build`; its tokeniser)"""
    saved = json.load(open(os.path.join(build, "tokeniser.json")))
    tokeniser = Tokeniser(saved["vocabulary"], saved["buckets"])
    encoder = Encoder(tokeniser.size)
    encoder.load_state_dict(torch.load(os.path.join(build, name)))
    both = Both(encoder, numpy.load(os.path.join(build, "known.npy"))).eval()
    with torch.no_grad():
        both.centre[:] = both.sum(pad([tokeniser.encode(text) for text in background()])).mean(0)
    return both, tokeniser


def unit(rows):
    return rows / rows.norm(dim=1, keepdim=True).clamp(min=1e-6)


def distinct(rows):
    """Rows of words of one batch as the distinct words (the first is padding) and their numbers."""
    numbers = {(0,) * WIDTH: 0}
    index = [[numbers.setdefault(tuple(word), len(numbers)) for word in row] for row in rows]
    length = max(map(len, index))
    return torch.tensor(list(numbers)), torch.tensor([row + [0] * (length - len(row)) for row in index])


def pad(rows):
    """Rows of words of one batch, with padding words at the end."""
    length = max(len(row) for row in rows)
    filler = [0] * WIDTH
    return torch.tensor([row + [filler] * (length - len(row)) for row in rows])
