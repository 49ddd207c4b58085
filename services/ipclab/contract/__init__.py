"""What a mechanism promises: channel, traits, errors, and the optional parts."""
