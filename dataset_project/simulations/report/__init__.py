"""How the cohort looks: glycaemia, pictures, summary tables and the dataset card."""
