"""The people documents are about: patients, providers, facilities, and identifiers with stated validity."""
