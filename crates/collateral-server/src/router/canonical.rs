//! Variants of requests that a PCCS accepts, too: paths in any case or with a trailing slash, and
//! repeated parameters, of which the first one counts.

use std::collections::HashSet;

use axum::extract::Request;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;

/// Prefixes of the case-insensitive paths.
const ROOTS: [&str; 2] = ["/sgx/", "/tdx/"];

/// Rewrites the target of a request to the form of the routes.
pub(crate) async fn canonical(mut request: Request) -> Request {
    if let Some(uri) = canonical_uri(request.uri()) {
        *request.uri_mut() = uri;
    }
    request
}

/// The URI in the form of the routes; `None` if it has that form already.
fn canonical_uri(uri: &Uri) -> Option<Uri> {
    let path = canonical_path(uri.path());
    let query = uri.query().and_then(canonical_query);
    if path.is_none() && query.is_none() {
        return None;
    }
    let mut target = path.unwrap_or_else(|| uri.path().to_owned());
    if let Some(query) = query.as_deref().or(uri.query()) {
        target.extend(["?", query]);
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(target).ok()?);
    Uri::from_parts(parts).ok()
}

fn canonical_path(path: &str) -> Option<String> {
    let is_below =
        |root: &str| path.get(..root.len()).is_some_and(|start| start.eq_ignore_ascii_case(root));
    let is_changed = path.ends_with('/') || path.bytes().any(|byte| byte.is_ascii_uppercase());
    (is_changed && ROOTS.into_iter().any(is_below))
        .then(|| path.trim_end_matches('/').to_ascii_lowercase())
}

/// The first parameter of each name; `None` if no name is repeated.
fn canonical_query(query: &str) -> Option<String> {
    let mut names = HashSet::new();
    let parameters = query.split('&');
    let first: Vec<&str> =
        parameters.clone().filter(|parameter| names.insert(parameter.split('=').next())).collect();
    (first.len() < parameters.count()).then(|| first.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_ignore_case_and_trailing_slashes_and_the_first_parameter_counts() {
        for (target, canonical) in [
            ("/sgx/certification/v4/tcb?fmspc=AB&update=early", None),
            ("/", None),
            ("/SGXRootCA.der", None),
            ("/other/", None),
            ("/SGX/Certification/V4/TCB?fmspc=AB", Some("/sgx/certification/v4/tcb?fmspc=AB")),
            ("/tdx/certification/v4/qe/identity/", Some("/tdx/certification/v4/qe/identity")),
            ("/sgx/x?a=1&b=2&a=3&b&c", Some("/sgx/x?a=1&b=2&c")),
            ("/sgx/X/?a&a", Some("/sgx/x?a")),
        ] {
            let found = canonical_uri(&target.parse().unwrap());
            assert_eq!(found, canonical.map(|uri| uri.parse().unwrap()), "{target}");
        }
    }
}
