"""What is written about whom: every template with its positive and its negative twin."""
