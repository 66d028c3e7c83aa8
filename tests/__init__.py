"""A package, so that `tests.git_http` is ours and not that of some installed distribution."""
