"""The second host: another Docker Engine, here or on another machine."""
