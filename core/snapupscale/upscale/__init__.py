"""Real-ESRGAN: models, weights, tiles, backends, and the engine over them."""
