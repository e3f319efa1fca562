"""Would a codebook that the server broadcast do, with indices alone going up? Bytes against what is lost.

    python benchmarks/shared_codebook.py            MovieLens-100K, versions 20, 100 and 300

A shared book has the k-means centres of all rows that clients of the version before sent, each client's
scaled to the same energy; a client sends a scale (2 bytes), packed indices and positions. Beside it, what a
client's own actions cost, and what the sum of a version's updates loses.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from sklearn.cluster import KMeans

from fedras_ray.clients import ClientHost
from fedras_ray.clients import Sent as Uploads
from fedras_ray.codecs.base import ItemUpdate, Outgoing, encode_all
from fedras_ray.codecs.build import build_codec
from fedras_ray.codecs.positions import positions_bytes
from fedras_ray.codecs.wire import HEADER_BYTES
from fedras_ray.config import read
from fedras_ray.config.codecs import ActionsCodec, CodecConfig, FixedActions, GainShapeCodec
from fedras_ray.data import load
from fedras_ray.executor import SerialExecutor
from fedras_ray.population import population_of
from fedras_ray.simulation import simulate
from fedras_ray.streams import Purpose, stream
from fedras_ray.work import Assignments
from workloads.experiments import find

VERSIONS = (20, 100, 300)
Sent = list[tuple[ItemUpdate, NDArray[np.float64]]]


def captured() -> dict[int, list[ItemUpdate]]:
    """The updates of some versions, in f32."""
    experiment = read(find("ml-100k-fedras"), ["codec.kind=sparse", "evaluation.every=100000"])
    dataset, codec = load(experiment.data, experiment.seed), build_codec(experiment.codec)
    updates: dict[int, list[ItemUpdate]] = {}

    class Listening(ClientHost):
        def train(self, assignments: Assignments) -> Uploads:
            uploads = super().train(assignments)
            for one, blob in zip(assignments, uploads.blobs, strict=True):
                updates.setdefault(one.version, []).append(codec.decode(blob))
            return uploads

    executor = SerialExecutor(experiment, dataset)
    executor.site.clients = Listening(experiment, dataset, range(experiment.execution.shards))
    for record in simulate(experiment, population_of(dataset), executor):
        if getattr(record, "version", 0) > max(VERSIONS):
            break
    return updates


def own(config: CodecConfig, updates: Sequence[ItemUpdate]) -> tuple[float, Sent]:
    """Bytes of an update on average, and what is decoded."""
    codec = build_codec(config)
    blobs = encode_all(codec, [Outgoing(one, lambda: stream(1, Purpose.ENCODING)) for one in updates])
    decoded = [codec.decode(blob).rows.astype(np.float64) for blob in blobs]
    return float(np.mean([len(blob) for blob in blobs])), list(zip(updates, decoded, strict=True))


def shared(k: int, before: Sequence[ItemUpdate], updates: Sequence[ItemUpdate]) -> tuple[float, Sent]:
    """The same with the centres of the version before; the scale is the best in hindsight."""
    rows = np.concatenate([one.rows / np.sqrt(np.square(one.rows).mean()) for one in before])
    book = KMeans(k, n_init=1, random_state=0, max_iter=30).fit(rows).cluster_centers_  # (K, D)
    sizes, sent = [], []
    for one in updates:
        scaled = one.rows / np.sqrt(np.square(one.rows).mean())
        taken = book[np.argmin(np.square(book).sum(axis=1) - 2 * scaled @ book.T, axis=1)]  # (n, D)
        gain = (one.rows * taken).sum() / np.square(taken).sum()
        n = len(one.item_ids)
        indices = -(-n * (k - 1).bit_length() // 8)
        sizes.append(HEADER_BYTES + 2 + indices + positions_bytes(n, one.item_count))
        sent.append((one, gain * taken))
    return float(np.mean(sizes)), sent


def lost(sent: Sent) -> tuple[float, float]:
    """Relative squared error: of an update on average, and of the sum of them all."""
    each = [np.square(one.rows - rows).sum() / np.square(one.rows).sum() for one, rows in sent]
    exact = np.zeros((sent[0][0].item_count, sent[0][0].width))
    received = exact.copy()
    for one, rows in sent:
        exact[one.item_ids] += one.rows
        received[one.item_ids] += rows
    return float(np.mean(each)), float(np.square(exact - received).sum() / np.square(exact).sum())


def main() -> None:
    """Print the table."""
    table = Table(
        "version", "actions", "bytes up", "lost of an update", "lost of the sum", "book down, bytes"
    )
    updates = captured()
    for version in VERSIONS:
        now, before = updates[version], updates[version - 1]
        for count in (2, 4, 16):
            many = FixedActions(count=count)
            for name, config in (
                ("gain-shape", GainShapeCodec(kind="gain-shape", actions=many)),
                ("actions", ActionsCodec(kind="actions", actions=many)),
            ):
                size, sent = own(config, now)
                each, whole = lost(sent)
                table.add_row(
                    str(version), f"own {name}, {count}", f"{size:.0f}", f"{each:.3f}", f"{whole:.3f}"
                )
        for k in (16, 64, 256, 1024):
            size, sent = shared(k, before, now)
            each, whole = lost(sent)
            down = f"{2 * k * now[0].width:,}"
            table.add_row(str(version), f"shared, {k}", f"{size:.0f}", f"{each:.3f}", f"{whole:.3f}", down)
    Console().print(table)


if __name__ == "__main__":
    main()
