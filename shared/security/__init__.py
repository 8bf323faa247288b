"""Who may do what to which rows and fields; keys, sealing, tokens, masking, audit."""
