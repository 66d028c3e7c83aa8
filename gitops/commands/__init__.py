"""The command line: the only modules that import click."""
