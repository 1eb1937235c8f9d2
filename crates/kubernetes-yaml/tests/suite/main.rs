//! YAML is parsed as by kubectl, and edited in place.

#![cfg(test)]
#![allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

mod additions;
mod limits;
mod random;
mod reading;

use kubernetes_yaml::Yaml;
use serde_json::Value;

/// The documents of a text.
fn values(text: &str) -> Vec<Value> {
    Yaml::parse(text)
        .and_then(|yaml| yaml.values())
        .unwrap_or_else(|error| panic!("{error}: {text}"))
}
