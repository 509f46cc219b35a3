"""What must last beside the log: specs that decided, pins, feedback, reviews, audit."""
