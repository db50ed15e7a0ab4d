"""First vectors of words: which words stand near each other in dialogues, definitions and synonyms (PPMI and SVD)."""

import collections
import itertools

import numpy
from scipy.sparse import coo_matrix, csr_matrix
from sklearn.utils.extmath import randomized_svd

import data as sets
from text import words_of

WORDS = 24000
DIMENSIONS = 128


def dialogue_texts(data):
    """Every distinct utterance of the dialogues; none of the sets that are tested is among them."""
    texts = set()
    for _, _, before, said in sets.sgd(data):
        texts.update((before, said))
    texts.update(row[2] for row in sets.multidogo(data))
    texts.update(row[3] for row in sets.taskmaster(data))
    texts.update(text for pair in sets.disfl_qa(data) for text in pair)
    texts.update(text for meeting in sets.mrda(data) for _, text in meeting)
    return sorted({tuple(words_of(text)) for text in texts})


def word_vectors(data):
    """(the commonest words, a row of DIMENSIONS each)."""
    spoken = dialogue_texts(data)
    synsets = list(sets.wordnet())
    written = [words_of(text) for _, _, gloss, quoted, _ in synsets for text in [gloss, *quoted]]
    counts = collections.Counter(word for text in itertools.chain(spoken, written) for word in text)
    for words, uses, *_ in synsets:
        for word, count in zip(words, uses):
            counts.update({part: count for part in words_of(word)})
    vocabulary = [word for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:WORDS]]
    numbers = {word: at for at, word in enumerate(vocabulary)}
    rows, columns, values = [], [], []

    def add(a, b, weight):
        rows.extend((a, b))
        columns.extend((b, a))
        values.extend((weight, weight))

    for texts, reach in ((spoken, 5), (written, 8)):
        for text in texts:
            known = [numbers.get(word, -1) for word in text]
            for at, a in enumerate(known):
                for back in range(max(0, at - reach), at):
                    if a >= 0 and known[back] >= 0:
                        add(a, known[back], 1 / (at - back) ** 0.5)
    known = lambda texts: [numbers[part] for text in texts for part in words_of(text) if part in numbers]
    for words, _, gloss, _, near in synsets:
        names = known(words)
        for a, b in itertools.combinations(names, 2):
            add(a, b, 5)
        for a in names:
            for b in known([gloss]):
                add(a, b, 1)
            for b in known(word for group in near for word in group):
                add(a, b, 2)
    matrix = coo_matrix((values, (rows, columns)), shape=(len(vocabulary),) * 2).tocsr()
    sums = numpy.asarray(matrix.sum(1)).ravel() + 1
    smooth = sums**0.75
    cells = matrix.tocoo()
    information = numpy.log(cells.data * smooth.sum() / (sums[cells.row] * smooth[cells.col]))
    positive = csr_matrix((numpy.maximum(information, 0), (cells.row, cells.col)), shape=matrix.shape)
    left, strength, _ = randomized_svd(positive, DIMENSIONS, n_iter=3, random_state=0)
    vectors = left * strength**0.5
    return vocabulary, vectors / numpy.maximum(numpy.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
