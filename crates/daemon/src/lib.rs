//! What every long-running program needs: clock, shutdown, logging, control socket, systemd
