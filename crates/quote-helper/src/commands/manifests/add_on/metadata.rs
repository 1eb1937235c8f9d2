//! Labels and annotations of all objects.

use anyhow::{Context, ensure};

/// Keys that the add-on sets itself.
const OWN: [&str; 4] = [
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/name",
    "app.kubernetes.io/part-of",
    "pod-security.kubernetes.io/enforce",
];
/// The prefix of keys with a meaning for the add-on.
const OWN_PREFIX: &str = "sgx-quote-helper/";

/// For instance `team=confidential`.
pub(super) fn label(text: &str) -> anyhow::Result<(String, String)> {
    let (key, value) = pair(text)?;
    ensure!(
        value.is_empty() || is_name(&value),
        "the value of a label has at most 63 letters, digits, hyphens, underscores and dots, and \
         begins and ends with a letter or digit"
    );
    Ok((key, value))
}

/// For instance `example.com/contact=ops@example.com`.
pub(super) fn annotation(text: &str) -> anyhow::Result<(String, String)> {
    pair(text)
}

fn pair(text: &str) -> anyhow::Result<(String, String)> {
    let (key, value) = text.split_once('=').context("write KEY=VALUE")?;
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    ensure!(
        is_name(name) && prefix.is_none_or(|prefix| super::name(prefix).is_ok()),
        "a key is for instance team or example.com/team"
    );
    ensure!(
        !OWN.contains(&key) && !key.starts_with(OWN_PREFIX),
        "the add-on sets {key} itself; choose another key"
    );
    Ok((key.to_owned(), value.to_owned()))
}

/// True for the name of a key, and the value of a label.
fn is_name(text: &str) -> bool {
    let is_alphanumeric = |byte: &u8| byte.is_ascii_alphanumeric();
    text.len() <= 63
        && text.as_bytes().first().is_some_and(is_alphanumeric)
        && text.as_bytes().last().is_some_and(is_alphanumeric)
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}
