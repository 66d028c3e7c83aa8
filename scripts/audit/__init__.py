"""The deep check of all that Shiplane writes: `python -m scripts.audit`, or `make audit` with its set-up."""
