"""Blueprints to service repositories: the package behind `newservice`."""

__version__ = "0.1.0"
