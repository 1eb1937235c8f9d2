//! URLs of services with the API of Intel's PCS.

use std::fmt;

use ureq::http::Uri;

/// Maximum length of a URL, in bytes.
const MAX_LENGTH: usize = 2048;

/// The URL of a service: `http` or `https`, host, port, and the path before
/// `/sgx/certification/v4`, without a slash at its end, and without user or password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceUrl {
    base: String,
    host: String,
    ended_version: Option<u32>,
}

impl ServiceUrl {
    /// Parses a URL with or without the path of the API. Requests use version 4 of the API, even if
    /// the URL has an earlier one.
    ///
    /// # Errors
    /// A message for people, which does not repeat a password or token.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_LENGTH {
            return Err(format!("a URL of more than {MAX_LENGTH} bytes"));
        }
        if text.contains('@') {
            return Err("a URL with a user or a password; leave them out: an API key comes from a file, and none of \
                 these services takes passwords"
                .to_owned());
        }
        if text.contains(['?', '#']) {
            let shown = without_query(text);
            return Err(format!("{shown:?} goes on behind the path; end it before the ? or #"));
        }
        if let Some(character) = text.chars().find(|c| !is_of_a_url(*c)) {
            let advice = if character == '\\' { "; write slashes, each alone" } else { "" };
            return Err(format!(
                "{text:?} is no URL, for it has the character {character:?}{advice}"
            ));
        }
        let uri: Uri = text.parse().map_err(|_| format!("{text:?} is no URL"))?;
        let scheme = match uri.scheme_str() {
            Some(scheme @ ("http" | "https")) => scheme,
            Some(_) => return Err(format!("{text:?} is no URL with http or https")),
            None => return Err(format!("{text:?} has no scheme; write https:// before it")),
        };
        let (host, port) =
            host_and_port(&uri).ok_or_else(|| format!("{text:?} has no good host and port"))?;
        let (path, version) = before_api(uri.path());
        let ended_version = match version.map(str::parse) {
            None | Some(Ok(4)) => None,
            Some(Ok(version @ 1..=3)) => Some(version),
            Some(_) => {
                return Err(format!("{text:?} is of another version than 4, the one spoken here"));
            }
        };
        Ok(Self { base: format!("{scheme}://{host}{port}{path}"), host, ended_version })
    }

    /// The URL, for instance `https://pccs:8081`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.base
    }

    /// The version of the API in the text, if it is no longer served.
    pub(super) fn ended_version(&self) -> Option<u32> {
        self.ended_version
    }

    /// Tells if the host is this one, or below this domain.
    pub(super) fn is_of(&self, domain: &str) -> bool {
        let Some(rest) = self.host.strip_suffix(domain) else { return false };
        rest.is_empty() || rest.ends_with('.')
    }
}

impl fmt::Display for ServiceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

/// Tells if RFC 3986, section 2, allows the character in a URL.
fn is_of_a_url(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-._~:/?#[]@!$&'()*+,;=%".contains(character)
}

/// The text before a query or fragment, which may hold a token.
pub(super) fn without_query(text: &str) -> &str {
    text.split(['?', '#']).next().unwrap_or_default()
}

/// The host in lowercase, and the port with its colon if there is one.
fn host_and_port(uri: &Uri) -> Option<(String, String)> {
    let authority = uri.authority()?;
    let host = authority.host().to_ascii_lowercase();
    let port = authority.as_str().get(host.len()..)?;
    let is_good = match port.strip_prefix(':') {
        Some(digits) => digits.parse::<u16>().is_ok_and(|port| port != 0),
        None => port.is_empty(),
    };
    (is_good && !host.is_empty()).then(|| (host, port.to_owned()))
}

/// The path before that of the API, and the digits of the API's version.
fn before_api(path: &str) -> (&str, Option<&str>) {
    let path = path.trim_end_matches('/');
    let (head, version) = match path.rsplit_once("/v") {
        Some((head, version)) if !version.contains('/') => (head, Some(version)),
        _ => (path, None),
    };
    let api = ["/sgx/certification", "/tdx/certification"];
    match api.iter().find_map(|api| head.strip_suffix(api)) {
        Some(before) => (before, version),
        // The version belongs to another path.
        None => (path, None),
    }
}
