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
#: The number that stands for all in pieces.
ANY_NUMBER = "10"
MAX_WORDS = 32
MAX_PIECES = 64
#: Marks the start of a word among the pieces.
START = "\u2581"
#: What a letter that no piece has costs; more than any piece.
STRANGE = -30.0

_WORD = re.compile(r"(?:[^\W\d_]|')+|\d+")
_APOSTROPHE = re.compile("[\u2018\u2019`]")


def spoken_words(text):
    """Small letters without accents; fillers dropped, each run of numbers one "#"."""
    small = _APOSTROPHE.sub("'", text.lower())
    plain = "".join(letter for letter in unicodedata.normalize("NFD", small) if unicodedata.category(letter) != "Mn")
    words = []
    for found in _WORD.findall(plain):
        word = found.strip("'")
        if not word or word in FILLERS:
            continue
        if word.isdigit() or word in NUMBERS:
            word = NUMBER
        if word != NUMBER or not words or words[-1] != NUMBER:
            words.append(word)
    return words[:MAX_WORDS]


def words_of(text):
    """The same without apostrophes."""
    return [word.replace("'", "") for word in spoken_words(text)]


def stem(word):
    """Without what an apostrophe ties to it ("what's"); nothing is left of "don't" and its kin, which no meaning rests on."""
    return "" if word.endswith("n't") else word.split("'")[0]


class Tokeniser:
    """
    Cuts each word into the likeliest pieces (unigram: Kudo, 2018) and numbers them from 1, 0 being a letter that is in
    none; the known words are numbered from 1, too, 0 being any other.
    """

    def __init__(self, pieces, vocabulary):
        self.pieces = {piece: (at + 1, score) for at, (piece, score) in enumerate(pieces)}
        self.numbers = {word: at + 1 for at, word in enumerate(vocabulary)}
        self.longest = max(map(len, self.pieces))
        self._cut = {}

    def encode(self, text):
        """(piece numbers, word numbers); neither is empty."""
        words = spoken_words(text)
        pieces = [number for word in words for number in self.cut(ANY_NUMBER if word == NUMBER else word)]
        known = [self.numbers.get(stem(word), 0) for word in words]
        return pieces[:MAX_PIECES] or [0], known or [0]

    def cut(self, word):
        found = self._cut.get(word)
        if found is None:
            found = self._cut[word] = self._best(START + word)
        return found

    def _best(self, letters):
        # Of the letters up to each place: the best score, where its last piece begins, that piece's number.
        best = [(0.0, 0, 0)] + [(-1e9, 0, 0)] * len(letters)
        for start in range(len(letters)):
            for end in range(start + 1, min(len(letters), start + self.longest) + 1):
                number, score = self.pieces.get(letters[start:end], (0, STRANGE if end == start + 1 else -1e9))
                if best[start][0] + score > best[end][0]:
                    best[end] = (best[start][0] + score, start, number)
        numbers, at = [], len(letters)
        while at > 0:
            numbers.append(best[at][2])
            at = best[at][1]
        return numbers[::-1]
