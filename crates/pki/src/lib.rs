//! Certificate profiles, activation codes and the proof of a typed code
