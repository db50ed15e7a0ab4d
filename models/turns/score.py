"""The measures of ../../../shared/data/turns/eval/score.py, faster (numpy)."""

import numpy as np
from sklearn.metrics import roc_auc_score


def pick(rows, p, name):
    keep = [i for i, r in enumerate(rows) if (r["end"] or .2 <= r["pause"] <= 5) and (name == "all" or r["end"] or r["mid"])]
    y = np.array([rows[i]["end"] for i in keep])
    return y, np.asarray(p)[keep], np.array([rows[i]["pause"] for i in keep])


def quick(rows, p):
    """(AUC mid, AUC all)"""
    return tuple(round(float(roc_auc_score(*pick(rows, p, name)[:2])), 4) for name in ("mid", "all"))


def policy(y, s, pauses):
    holds, hold_pauses, ends = s[y == 0], pauses[y == 0], s[y == 1]
    best_wait, best_cut = {.05: 9.0, .10: 9.0}, {.3: 1.0, .6: 1.0}
    for th in np.arange(101) / 100:
        fired, hit = (ends > th).mean(), holds > th
        for delay in np.arange(2, 11) / 10:
            early = hit & (hold_pauses > delay)
            for timeout in np.arange(2, 8) / 2:
                cut = (early | (hold_pauses > timeout)).mean()
                wait = fired * delay + (1 - fired) * timeout
                for k in best_wait:
                    if cut <= k:
                        best_wait[k] = min(best_wait[k], wait)
                for k in best_cut:
                    if wait <= k + 1e-9:
                        best_cut[k] = min(best_cut[k], cut)
    return {"cut@300": best_cut[.3], "cut@600": best_cut[.6], "wait@5%": best_wait[.05], "wait@10%": best_wait[.10]}


def endpointing(rows, p):
    y, s, w = pick(rows, p, "mid")
    return {"auc": round(float(roc_auc_score(y, s)), 4), **{k: round(float(v), 4) for k, v in policy(y, s, w).items()}}
