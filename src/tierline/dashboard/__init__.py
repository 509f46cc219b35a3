"""The dashboard's static pages: no build step, nothing from elsewhere. They are a client of the HTTP API like any other."""
