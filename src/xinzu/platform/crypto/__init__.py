"""Keys, sealed fields, blind indexes, masked forms, signatures and secrets. Nothing here touches the database.

``kms`` holds the master keys, ``vault`` seals one tenant's fields, ``masking`` is what people may see, ``identifiers`` says
what a number must look like, ``signing`` is Ed25519 and RSA2, ``passwords`` is argon2 and API keys.
"""
