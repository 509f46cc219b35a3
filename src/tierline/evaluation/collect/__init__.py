"""Run a team's own prompts over candidate models: prompts → calls → journal → grades → the table that the evaluation eats."""
