"""What was said of logged answers, by whom, how far each is trusted, and what follows from all of it together."""
