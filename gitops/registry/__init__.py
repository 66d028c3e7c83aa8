"""The one door to image registries: `read.read` reads what is there, `gate.verdict` judges what was read."""
