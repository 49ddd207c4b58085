"""The Docker Engine: installing it, its images, Compose."""
