"""A package, so that `tests.generator.trees` is ours."""
