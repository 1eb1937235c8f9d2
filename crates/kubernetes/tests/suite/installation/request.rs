//! Requests to the API server.

use std::collections::BTreeMap;

/// A request, parsed from its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) namespace: Option<String>,
    pub(crate) resource: String,
    pub(crate) name: Option<String>,
    pub(crate) query: BTreeMap<String, String>,
}

impl Request {
    pub(crate) fn new(method: &str, uri: &axum::http::Uri) -> Self {
        let mut words: Vec<&str> = uri.path().trim_matches('/').split('/').collect();
        words.drain(..if words[0] == "api" { 2 } else { 3 }.min(words.len()));
        let namespace = (words.len() > 2 && words[0] == "namespaces").then(|| words[1].to_owned());
        if namespace.is_some() {
            words.drain(..2);
        }
        Self {
            method: method.to_owned(),
            namespace,
            resource: words.first().copied().unwrap_or_default().to_owned(),
            name: words.get(1).map(|name| (*name).to_owned()),
            query: query(uri.query().unwrap_or_default()),
        }
    }

    /// True if it modifies objects.
    pub(crate) fn is_write(&self) -> bool {
        self.method != "GET" && !self.is_dry_run() && self.resource != "selfsubjectaccessreviews"
    }

    pub(crate) fn is_dry_run(&self) -> bool {
        self.query.contains_key("dryRun")
    }

    /// For instance `PATCH daemonsets/sgx-plugin`; with `DRY-RUN` if it changes nothing.
    pub(crate) fn line(&self) -> String {
        let name = self.name.as_ref().map(|name| format!("/{name}"));
        let method = if self.is_dry_run() { "DRY-RUN" } else { &self.method };
        format!("{method} {}{}", self.resource, name.unwrap_or_default())
    }
}

fn query(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    let decoded = |text: &str| {
        text.replace("%3D", "=").replace("%2C", ",").replace("%2F", "/").replace('+', " ")
    };
    pairs.map(|(name, value)| (name.to_owned(), decoded(value))).collect()
}
