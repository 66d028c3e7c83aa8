"""kustomize: what a build reads, told by the files alone (pure), and the one door to the program."""
