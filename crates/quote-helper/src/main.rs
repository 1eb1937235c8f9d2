//! The command line: serve, quote, verify, inspect, platform, load, demo.

fn main() {}
