//! Mutual-TLS gRPC, peer identity, wire to model and back
