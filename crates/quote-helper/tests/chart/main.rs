//! The Helm chart, rendered by Helm: `just chart-test`.

#![cfg(test)]

mod cases;
mod helm;
mod hooks;
mod objects;
mod package;
mod refusals;
mod same_objects;
