"""The decision log decided again under another spec: what changes, what it costs, and how much of it the log can prove."""
