"""A module per family of features, each a tuple of declarations. How they become SQL is `compiler`'s."""
