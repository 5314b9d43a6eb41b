"""Writers: a document in, a file out, with the place of every planted value. One module per format."""
