"""A study on made-up interactions that runs in seconds."""

TEXT = """
name = "small-study"
seeds = [1, 2]
reference = "dense"
metric = "ndcg@10"
margin = 0.05

[base]
data = { kind = "synthetic", users = 120, items = 150, mean_interactions = 12.0 }
model = { width = 8 }
codec = { kind = "dense" }
schedule = { versions = 4, clients_per_version = 20 }
evaluation = { every = 2 }
execution = { shards = 3 }

[methods.half]
codec.dtype = "f16"

[methods.dense]

[methods.few]
codec = { kind = "actions", actions = { kind = "fixed", count = 4 } }
"""
METHODS = ["half", "dense", "few"]
SEEDS = [1, 2]


def write(folder, text=TEXT):
    path = folder / "small-study.toml"
    path.write_text(text)
    return path
