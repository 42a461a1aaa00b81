"""What things are: records, errors, wire models, the codebook and all SQL. Imports nothing of ours above it."""
