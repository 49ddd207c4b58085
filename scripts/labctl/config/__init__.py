"""What the user chose: `.env`, the environment, compose.yaml."""
