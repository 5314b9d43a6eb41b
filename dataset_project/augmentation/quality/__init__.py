"""How like its source a variant is, and how diverse a combo's variants are."""
