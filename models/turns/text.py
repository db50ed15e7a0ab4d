"""Text as the models see it. src/turns/models/text.ts does the same; fixtures.json keeps the two equal."""

import re

CALLER_WORDS = 48
AGENT_WORDS = 16
PIECES = 80
AGENT_PIECES = 28

ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()
DIGITS = {word: 1 for word in ONES[:10]} | {"oh": 1, "o": 1, "nought": 1}
PAIRS = {word: 2 for word in ONES[10:] + TENS[2:]}

# What the agent asked for; the first token after the agent's words says it.
KINDS = ["open", "yes-no", "digits", "spelling", "email", "name", "date", "digits-short", "digits-whole"]


def figures(digits):
    """A number in figures as it is said: up to two digits as a number, more of them one by one."""
    if len(digits) > 2 or digits.startswith("0"):
        return [ONES[int(d)] for d in digits]
    value = int(digits)
    if value < 20:
        return [ONES[value]]
    return [TENS[value // 10]] + ([ONES[value % 10]] if value % 10 else [])


def words(text):
    """Lower case, no punctuation, no apostrophes, figures as words, '@' and '.' of an address as words."""
    text = text.lower().replace("@", " at ").replace("&", " and ")
    text = re.sub(r"['’‘`]", "", text)
    text = re.sub(r"(?<=[0-9]),(?=[0-9]{3})", "", text)
    text = re.sub(r"(?<=[0-9])\.(?=[0-9])", " point ", text)
    text = re.sub(r"(?<=[a-z0-9]{2})\.(?=[a-z]{2})", " dot ", text)
    out = []
    for part in re.findall(r"[a-z]+|[0-9]+", text):
        out += figures(part) if part[0].isdigit() else [part]
    return out


def digit_count(caller):
    """How many digits these words dictate: "double five" is two, "twenty five" is two."""
    count = 0
    times = 1
    after_tens = False
    for word in caller:
        if word in ("double", "triple"):
            times = 2 if word == "double" else 3
            continue
        if word in DIGITS:
            # The unit after "twenty" fills the place that "twenty" has already counted.
            count += 0 if after_tens and word not in ("zero", "oh", "o") else times
            after_tens = False
        elif word in PAIRS:
            count += 2
            after_tens = word in TENS
        else:
            after_tens = False
        times = 1
    return count


def kind_of(expected, caller):
    """The kind token of an expected answer, given the caller's words so far."""
    kind = (expected or {}).get("kind", "open")
    length = (expected or {}).get("length")
    if kind == "digits" and length:
        return "digits-whole" if digit_count(caller) >= length else "digits-short"
    return kind


class Tokeniser:
    """Whole words where the vocabulary has them, else the longest pieces from the left ("##" begins a later piece)."""

    def __init__(self, vocabulary):
        self.pieces = vocabulary
        self.ids = {piece: i for i, piece in enumerate(vocabulary)}
        self.cache = {}

    def word(self, word):
        ids = self.cache.get(word)
        if ids is None:
            ids = self.cache[word] = self._split(word)
        return ids

    def _split(self, word):
        ids = []
        at = 0
        while at < len(word):
            prefix = "##" if at else ""
            for end in range(len(word), at, -1):
                found = self.ids.get(prefix + word[at:end])
                if found is not None:
                    ids.append(found)
                    at = end
                    break
            else:
                raise ValueError(word)
        return ids

    def encode(self, caller, agent, kind):
        """Ids of: the agent's last words, the kind, the caller's last words."""
        before = [i for w in agent[-AGENT_WORDS:] for i in self.word(w)][-AGENT_PIECES:]
        said = [i for w in caller[-CALLER_WORDS:] for i in self.word(w)][-PIECES:]
        return before + [self.ids[f"<{kind}>"]] + said
