"""The contract of a mechanism: channel, traits, errors, and the optional parts."""
