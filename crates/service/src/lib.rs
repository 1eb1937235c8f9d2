//! The quote service as a library: listener, connections, handler, limits, metrics.
