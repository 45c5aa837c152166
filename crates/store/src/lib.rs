//! The storage port, stored shapes, the memory store and the contract every store passes
