"""How good was an answer: by a reference, by a task's validators, or by a judge. A grade is a number in [0, 1], or none and why."""
