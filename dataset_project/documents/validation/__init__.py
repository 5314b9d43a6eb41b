"""What must hold for every document, span and pool."""
