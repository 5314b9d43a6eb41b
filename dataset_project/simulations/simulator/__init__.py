"""Virtual patients: cohort, behaviour, sensor, the compiled closed loop, and what says that they are sound."""
