"""The same question in other clothes: does the router send it to the same model, and what does it lose where it does not?"""
