"""The local service that owns the jobs, the models and the GPU, and the worker that does the work."""
