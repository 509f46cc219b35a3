"""Is a judge worth believing? It is held against labels that are trusted before its own may gate or train anything."""
