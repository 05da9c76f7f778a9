"""Makes cooccurrence.json: rows of tokens, their positive pointwise mutual information and its singular value decomposition.

Run: python3 Tests/Fixtures/make_cooccurrence.py (numpy 1.24 or later). A new run differs in the last digits at most.
"""

import json
import pathlib

import numpy as np

FIRST, TOKENS, END, WINDOW, WIDTH, DEVIATION = 97, 24, 256, 10, 16, 0.12
random = np.random.default_rng(20261128)


def row():
    """A row of up to 24 tokens: documents of a topic each, most of which end within it."""
    tokens = []
    length = int(random.integers(1, 25))
    while len(tokens) < length:
        topic = int(random.integers(0, 4))
        for _ in range(int(random.integers(1, 16))):
            wide = random.random() < 0.4
            tokens.append(FIRST + int(min(random.geometric(0.2) - 1, 19) if wide else topic * 5 + random.integers(0, 5)))
        tokens.append(END)
    return tokens[:length]


rows = [row() for _ in range(60)]
# Tokens 20 to 23 are in one document, alone: they stand near nothing, or near each other.
rows += [[FIRST + 20], [FIRST + 21, FIRST + 22, END, FIRST + 23]]

frequency = np.zeros(257, int)
counts = np.zeros((257, 257))
for tokens in rows:
    document = []
    for token in tokens + [END]:
        if token != END:
            frequency[token] += 1
            for distance, other in enumerate(reversed(document[-WINDOW:]), 1):
                counts[token, other] += 1 / distance
                counts[other, token] += 1 / distance
            document.append(token)
        else:
            document = []

contexts = sorted(np.flatnonzero(frequency), key=lambda token: (-frequency[token], token))
counts = counts[:, contexts]
smoothed = counts.sum(0) ** 0.75
with np.errstate(divide="ignore", invalid="ignore"):
    pmi = np.log(counts * smoothed.sum() / (counts.sum(1, keepdims=True) * smoothed))
positive = np.where(counts > 0, np.maximum(pmi, 0), 0)
left, values, _ = np.linalg.svd(positive)
embedding = left[:, :WIDTH] * np.sqrt(values[:WIDTH])
norms = np.linalg.norm(embedding, axis=1, keepdims=True)
seen = positive.any(axis=1)
embedding = np.where(seen[:, None], embedding / np.where(norms > 0, norms, 1) * DEVIATION * np.sqrt(WIDTH), 0)
tokens = slice(FIRST, FIRST + TOKENS)

pathlib.Path(__file__).with_name("cooccurrence.json").write_text(
    json.dumps(
        {
            "rows": rows,
            "positive_pmi": positive[tokens].ravel().round(9).tolist(),
            "singular_values": values[:WIDTH].round(9).tolist(),
            "seen": seen[tokens].tolist(),
            # Singular vectors have no sign, scalar products of the rows have.
            "scalar_products": (embedding @ embedding.T)[tokens, tokens].ravel().round(9).tolist(),
        }
    )
    + "\n"
)
