"""
What is known of words before any training: which stand near each other in dialogues, definitions and synonyms (PPMI and SVD), and what the
recogniser's decoder makes of them where they stand. It was trained on far more speech than there is text here.
"""

import argparse
import collections
import itertools
import os
import random
import subprocess

import numpy
from scipy.sparse import coo_matrix, csr_matrix
from sklearn.utils.extmath import randomized_svd

import data as sets
from text import words_of

WORDS = 24000
DIMENSIONS = 128
#: Of both kinds of knowledge together.
WIDTH = 128


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


def contexts(data, vocabulary):
    """Texts in which most words of the vocabulary stand some times; words alone that hardly stand in any."""
    spoken = [text for text in dialogue_texts(data) if 3 <= len(text) <= 24]
    synsets = list(sets.wordnet())
    quoted = [tuple(words_of(text)) for _, _, _, texts, _ in synsets for text in texts]
    glosses = [tuple(words_of(gloss)) for _, _, gloss, _, _ in synsets]
    generator = random.Random(1)
    for texts in (spoken, quoted, glosses):
        generator.shuffle(texts)
    known, seen, chosen = set(vocabulary), collections.Counter(), []
    for texts, enough in ((spoken, 4), (quoted, 3), (glosses, 2)):
        for text in texts:
            if 2 <= len(text) <= 24 and any(word in known and seen[word] < enough for word in text):
                chosen.append(text)
                seen.update(text)
    return chosen + [(word,) for word in vocabulary if seen[word] < 2]


def heard_words(data, vocabulary, work):
    """[words, 288]"""
    here = os.path.dirname(os.path.abspath(__file__))
    files = {name: os.path.join(work, name) for name in ("contexts.txt", "vocabulary.txt", "heard.bin")}
    for name, lines in (("contexts.txt", map(" ".join, contexts(data, vocabulary))), ("vocabulary.txt", vocabulary)):
        with open(files[name], "w") as out:
            out.write("\n".join(lines) + "\n")
    subprocess.run(["npx", "tsx", os.path.join(here, "known.ts"), *files.values()], check=True, cwd=os.path.join(here, "../.."))
    return numpy.fromfile(files["heard.bin"], numpy.float32).reshape(len(vocabulary), -1)


def whitened(rows, weights, dimensions, floor):
    """The directions that tell most, each as long as any; not the weakest, which are noise. `floor`: of the longest."""
    rows = rows - weights @ rows
    variance, directions = numpy.linalg.eigh((rows * weights[:, None]).T @ rows)
    order = numpy.argsort(-variance)[:dimensions]
    lengths = variance[order] ** 0.5
    return rows @ directions[:, order] / (lengths + floor * lengths[0])


def known_words(data, work):
    """(the commonest words, a row of WIDTH each)."""
    vocabulary, near = word_vectors(data)
    share = 1 / (10 + numpy.arange(len(vocabulary)))
    share /= share.sum()
    weights = share**0.5 / (share**0.5).sum()
    heard = whitened(heard_words(data, vocabulary, work), weights, DIMENSIONS, 0.05)
    length = lambda rows: ((rows * rows).sum(1) @ share) ** 0.5
    both = whitened(numpy.concatenate([near / length(near), heard / length(heard)], 1), weights, WIDTH, 0.3)
    return vocabulary, both / (both * both).mean() ** 0.5


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True)
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    numpy.save(os.path.join(args.out, "known.npy"), known_words(args.data, args.out)[1].astype(numpy.float32))
