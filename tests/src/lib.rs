//! Scenario tests and benchmarks of the whole product
