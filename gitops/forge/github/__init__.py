"""The forge on GitHub, github.com and Enterprise hosts, by PyGithub, which is imported when it is first asked."""
