"""Published documents in the forms that people train and test with."""
