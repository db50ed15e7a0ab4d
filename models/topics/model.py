"""The encoder: what Universal Sentence Encoder Lite makes of the pieces of a text, beside it the mean of what is known of its words."""

import numpy
import torch
from torch import nn

from data import background
from pretrained import sentence_encoder, word_vectors
from text import MAX_PIECES, Tokeniser

HEADS = 4
WORDS = 24000
#: Of a vector's squared length, what is known of the words.
KNOWN = 0.25
#: As common as this, a word counts half.
COMMON = 1e-3


class Layer(nn.Module):
    """Attention and a wide layer, each read through a norm and added to what came before (the first layer also widens that)."""

    def __init__(self, width, out=512, wide=1536):
        super().__init__()
        self.before = nn.LayerNorm(width, eps=1e-6)
        self.attend = nn.Linear(width, 3 * width)
        self.mixed = nn.Linear(width, out)
        self.past = nn.Linear(width, out) if width != out else nn.Identity()
        self.between = nn.LayerNorm(out, eps=1e-6)
        self.widen = nn.Linear(out, wide)
        self.narrow = nn.Linear(wide, out)

    def forward(self, h):
        """[1, pieces, width] -> [1, pieces, out]"""
        _, count, width = h.shape
        q, k, v = self.attend(self.before(h)).view(count, 3, HEADS, width // HEADS).permute(1, 2, 0, 3)
        shares = torch.softmax(q @ k.transpose(-1, -2) * (width // HEADS) ** -0.5, -1)
        h = self.past(h) + self.mixed((shares @ v).permute(1, 0, 2).reshape(1, count, width))
        return h + self.narrow(torch.relu(self.widen(self.between(h))))


class Encoder(nn.Module):
    """One text at a time: a batch's padding costs more than it saves, and an int8 layer would see the other texts' extremes."""

    def __init__(self, weights, known):
        super().__init__()
        self.table = nn.Embedding(*weights["table"].shape)
        self.layers = nn.ModuleList([Layer(256), Layer(512)])
        self.dense = nn.Linear(512, 512)
        tensors = {"table.weight": weights["table"], **{name: value for name, value in weights.items() if "." in name}}
        self.load_state_dict({name: torch.tensor(value.copy()) for name, value in tensors.items()})
        turns = numpy.arange(MAX_PIECES)[:, None] * weights["rates"]
        self.register_buffer("places", torch.tensor(numpy.concatenate([numpy.sin(turns), numpy.cos(turns)], 1), dtype=torch.float32))
        self.register_buffer("known", torch.tensor(known, dtype=torch.float32))
        #: Of texts of all kinds.
        self.register_buffer("centre", torch.zeros(known.shape[1]))

    def forward(self, pieces, words):
        """[pieces], [words] -> [612] of unit length"""
        h = (self.table(pieces) * 2 + self.places[: pieces.shape[0]])[None]
        for layer in self.layers:
            h = layer(h)
        said = torch.tanh(self.dense(h.mean(1, keepdim=True)))[0, 0]
        return torch.cat([unit(said) * (1 - KNOWN) ** 0.5, unit(self.sum(words) - self.centre) * KNOWN**0.5])

    def sum(self, words):
        return self.known[words.long()].sum(0)


def unit(row):
    return row / row.norm().clamp(min=1e-6)


def known_words(packages):
    """(the words, a row each of how it weighs in a text; row 0 is of any other word)"""
    words, vectors = word_vectors(packages, WORDS)
    # Zipf's law, for want of counts.
    share = 1 / (10 + numpy.arange(len(words)))
    share /= share.sum()
    rows = (vectors - share @ vectors) * (COMMON / (COMMON + share))[:, None]
    return words, numpy.concatenate([numpy.zeros((1, rows.shape[1])), rows])


def loaded(packages):
    """(the encoder, its tokeniser, the pieces, the words)"""
    pieces, weights = sentence_encoder(packages)
    words, known = known_words(packages)
    tokeniser = Tokeniser(pieces, words)
    encoder = Encoder(weights, known).eval()
    with torch.no_grad():
        encoder.centre[:] = torch.stack([encoder.sum(torch.tensor(tokeniser.encode(text)[1])) for text in background()]).mean(0)
    return encoder, tokeniser, pieces, words


def embedder(packages):
    """texts -> [texts, 612]"""
    encoder, tokeniser, *_ = loaded(packages)

    def embed(texts):
        with torch.no_grad():
            return numpy.stack([encoder(*map(torch.tensor, tokeniser.encode(text))).numpy() for text in texts])

    return embed
