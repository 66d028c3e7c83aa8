"""Gates: the rules that a pull request must pass, as pure functions of what git, the forge and the clock say."""
