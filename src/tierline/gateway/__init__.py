"""The live driver: from a neutral request to an answer and a log row."""
