"""The real stack through Docker, brought up by `./lab up` as a user would."""
