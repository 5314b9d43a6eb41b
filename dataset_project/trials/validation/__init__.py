"""What must hold for the records, the categories and the report."""
