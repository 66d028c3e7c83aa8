"""Releases and promotions through reviewed pull requests: the package behind `promote` and `gitops`."""
