"""The augmentation methods: each proposes edits to one passage; nothing here decides whether they are accepted."""
