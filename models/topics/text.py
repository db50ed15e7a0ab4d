"""From text to the numbers the encoder reads. src/language/tokeniser.ts does exactly the same; fixtures.json holds them to it."""

import re
import unicodedata

#: Said while thinking; they carry nothing.
FILLERS = frozenset("um uh uhm umm er erm hm hmm mm mhm ah eh".split())
#: Written as digits by one recogniser and as words by another. "one" is left out: it is a pronoun as often.
NUMBERS = frozenset(
    "zero two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand".split()
)
NUMBER = "#"
MAX_WORDS = 32
#: Numbers per word: the word itself, then groups of letters.
WIDTH = 12

_WORD = re.compile(r"[^\W\d_]+|\d+")
_APOSTROPHE = re.compile("['\u2018\u2019`]")


def words_of(text):
    """Small letters without accents or apostrophes; fillers dropped, each run of numbers one "#"."""
    plain = "".join(letter for letter in unicodedata.normalize("NFD", text.lower()) if unicodedata.category(letter) != "Mn")
    words = []
    for word in _WORD.findall(_APOSTROPHE.sub("", plain)):
        if word in FILLERS:
            continue
        if word.isdigit() or word in NUMBERS:
            word = NUMBER
        if word != NUMBER or not words or words[-1] != NUMBER:
            words.append(word)
    return words[:MAX_WORDS]


def hash_of(letters):
    """FNV-1a of 32 bits over UTF-16 code units."""
    value = 0x811C9DC5
    units = letters.encode("utf-16-le")
    for at in range(0, len(units), 2):
        value ^= units[at] | (units[at + 1] << 8)
        value = (value * 0x01000193) & 0xFFFFFFFF
    return value


def groups_of(word):
    """Groups of four letters with the word's ends marked; of three for short words."""
    padded = f"<{word}>"
    size = 4 if len(padded) > 5 else 3
    return [padded[at : at + size] for at in range(len(padded) - size + 1)]


class Tokeniser:
    """Word numbers: 0 is padding, 1 an unknown word, then the vocabulary, then the buckets of the letter groups."""

    def __init__(self, vocabulary, buckets):
        self.vocabulary = list(vocabulary)
        self.numbers = {word: at + 2 for at, word in enumerate(self.vocabulary)}
        self.buckets = buckets
        self._known = {}

    @property
    def size(self):
        return 2 + len(self.vocabulary) + self.buckets

    def word(self, word):
        """WIDTH numbers for a word, padded with 0."""
        row = self._known.get(word)
        if row is None:
            first = 2 + len(self.vocabulary)
            groups = [] if word == NUMBER else groups_of(word)
            row = [self.numbers.get(word, 1)] + [first + hash_of(group) % self.buckets for group in groups]
            row = (row + [0] * WIDTH)[:WIDTH]
            self._known[word] = row
        return row

    def encode(self, text):
        """One row per word; a text without words is one unknown word without letters."""
        return [self.word(word) for word in words_of(text)] or [[1] + [0] * (WIDTH - 1)]
