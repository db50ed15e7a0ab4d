"""The endpointing net: one GRU over the agent's words, the kind of answer and the caller's words."""

import torch
from torch import nn

LANGUAGE = 4000  # the commonest pieces, which the net also learns to foresee


class EndpointNet(nn.Module):
    def __init__(self, base, width=96, hidden=256, layers=1, dropout=0.25):
        super().__init__()
        pieces, known = base.shape
        self.register_buffer("base", torch.as_tensor(base), persistent=False)
        self.project = nn.Linear(known, width, bias=False)
        # What training adds to the recogniser's knowledge of a piece: decays, so that rare words keep to the latter.
        self.own = nn.Parameter(torch.zeros(pieces, width))
        nn.init.normal_(self.own[:40], std=0.5)
        self.gru = nn.GRU(width, hidden, layers, batch_first=True, dropout=dropout if layers > 1 else 0)
        self.drop_in = nn.Dropout(dropout * 0.6)
        self.drop_out = nn.Dropout(dropout)
        self.judge = nn.Sequential(nn.Linear(hidden, 64), nn.GELU(), nn.Linear(64, 2))
        self.foresee = nn.Linear(hidden, width)
        self.next = nn.Linear(width, LANGUAGE)

    def table(self):
        return self.project(self.base) * 0.25 + self.own

    def embed(self, ids):
        return self.project(self.base[ids]) * 0.25 + self.own[ids]

    def encode(self, ids):
        h, _ = self.gru(self.drop_in(self.embed(ids)))
        return self.drop_out(h)

    def forward(self, ids):
        """[batch, time, 2] logits: the turn is finished, a sentence is finished."""
        return self.judge(self.encode(ids))
