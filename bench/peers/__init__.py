"""What others would pick, as their own guides show it. Each program here runs in an environment of
its own (`bench.send.environments`), and imports nothing of ours."""
