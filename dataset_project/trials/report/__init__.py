"""How the categorisation went: agreement with known categories, calibration, usage, pictures, the dataset card."""
