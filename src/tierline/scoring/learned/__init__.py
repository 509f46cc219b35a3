"""The learned scorer: text → sparse features → beliefs. Inference needs NumPy, fitting SciPy as well."""
