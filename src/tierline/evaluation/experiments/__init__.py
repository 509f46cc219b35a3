"""Reading experiments: what each arm gave, with intervals and verdicts that hold however often one looks."""
