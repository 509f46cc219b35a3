"""The routing spec: its structs, how it is loaded, checked, priced and given a fingerprint."""
