"""From hits to the metrics of users."""

import numpy as np
import torch

from fedras_ray.evaluation.quality import sampled_quality


def test_sampled_quality_ranks_the_held_out_item_among_its_negatives(dataset_of):
    data = dataset_of([[0], [0], [0]], [[1], [2], [3]], 30)
    scores = torch.zeros(3, 30)
    scores[:, 1], scores[:, 2] = 3.0, 2.0
    negatives = np.array([list(range(4, 16)), [1, *range(4, 15)], list(range(4, 16))])
    found = sampled_quality(scores, np.arange(3), data, negatives)
    assert found["sampled_hr@10"].tolist() == [1, 1, 0]
    np.testing.assert_allclose(found["sampled_ndcg@10"], [1, 1 / np.log2(3), 0])
