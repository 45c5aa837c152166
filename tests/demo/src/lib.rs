//! make demo: the whole way a meeting travels, live
