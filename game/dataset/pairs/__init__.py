"""Training pairs: what the stream sends, and a far richer offline picture of the same view."""
