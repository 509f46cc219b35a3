"""Wire formats, one a file; each parses to and renders from the neutral request."""
