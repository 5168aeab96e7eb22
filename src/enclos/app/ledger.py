"""The ledger, as anyone may check it: public files and a public key."""
