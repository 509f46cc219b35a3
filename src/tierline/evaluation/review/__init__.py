"""Looking again at what was decided once: which tasks are due and why, what happened in an incident, what a month came to."""
