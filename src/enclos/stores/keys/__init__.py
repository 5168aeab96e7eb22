"""Key stores behind one port: an encrypted file, a PKCS#11 token, or several in different hands."""

from enclos.stores.keys.by_role import KeysByRole
from enclos.stores.keys.file import FileKeyStore, LocalBlocks
from enclos.stores.keys.port import KeyEntry, KeySigner, KeyStore
from enclos.stores.keys.uri import TokenPlace, read_token_uri

__all__ = [
    "FileKeyStore",
    "KeyEntry",
    "KeySigner",
    "KeyStore",
    "KeysByRole",
    "LocalBlocks",
    "TokenPlace",
    "read_token_uri",
]
