"""A double of GitHub on loopback: real bare repositories over smart HTTP, and the part of its API that we use.

It refuses what GitHub refuses, in GitHub's words, and every request and answer of its REST part is checked against
GitHub's own OpenAPI document where that is at hand (`referee`). What it answers of GraphQL is checked by shape alone: a
field, a type or an argument that it does not know is an error, as on GitHub.
"""
