//! A simulated Microsoft 365 tenant, as strict as the real one
