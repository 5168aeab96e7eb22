"""Places that keep ciphertext objects: a local folder, or a bucket of an S3 server."""

from enclos.stores.objects.credentials import S3Credentials, read_credentials
from enclos.stores.objects.local import LocalObjects
from enclos.stores.objects.place import S3Place
from enclos.stores.objects.s3 import S3Lake, S3Objects

__all__ = ["LocalObjects", "S3Credentials", "S3Lake", "S3Objects", "S3Place", "read_credentials"]
