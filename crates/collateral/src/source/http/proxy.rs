//! The proxy that the environment names.

use untrusted_input::environment;
use ureq::{Proxy, ProxyBuilder, ProxyProtocol};

/// The variables that name a proxy, in the order in which they count.
const VARIABLES: [&str; 6] =
    ["ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"];
/// The variables with the hosts that need no proxy.
const EXCEPTIONS: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// A web server sets it for a CGI program.
const REQUEST_METHOD: &str = "REQUEST_METHOD";
/// A web server makes this variable of a header `Proxy`, so that anybody could name the proxy of a
/// CGI program.
const HEADER_OF_CGI: &str = "HTTP_PROXY";

/// The proxy of the environment, if it is one for HTTP.
pub(super) fn of_environment() -> Option<Proxy> {
    choose(|name| environment::var(name).ok())
}

fn choose(variable: impl Fn(&str) -> Option<String>) -> Option<Proxy> {
    let is_cgi = variable(REQUEST_METHOD).is_some();
    let names = VARIABLES.iter().filter(|name| !is_cgi || **name != HEADER_OF_CGI);
    let proxy = names.filter_map(|name| variable(name)).find_map(|url| Proxy::new(&url).ok())?;
    if !matches!(proxy.protocol(), ProxyProtocol::Http | ProxyProtocol::Https) {
        return None;
    }
    let exceptions = EXCEPTIONS.iter().find_map(|name| variable(name)).unwrap_or_default();
    with_exceptions(&proxy, &exceptions)
}

fn with_exceptions(proxy: &Proxy, exceptions: &str) -> Option<Proxy> {
    let builder = Proxy::builder(proxy.protocol()).host(proxy.host()).port(proxy.port());
    let builder = proxy.username().into_iter().fold(builder, ProxyBuilder::username);
    let builder = proxy.password().into_iter().fold(builder, ProxyBuilder::password);
    exceptions.split(',').map(str::trim).fold(builder, ProxyBuilder::no_proxy).build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(variables: &[(&str, &str)]) -> Option<String> {
        let proxy = choose(|wanted| {
            let set = variables.iter().find(|(name, _)| *name == wanted);
            set.map(|(_, value)| (*value).to_owned())
        });
        proxy.map(|proxy| proxy.uri().to_string())
    }

    #[test]
    fn the_proxy_is_that_of_the_first_variable() {
        assert_eq!(chosen(&[]), None);
        let (http, all) = (("HTTP_PROXY", "http://a:1"), ("ALL_PROXY", "http://user:word@b:2"));
        assert_eq!(chosen(&[http]).unwrap(), "http://a:1/");
        assert_eq!(chosen(&[http, all]).unwrap(), "http://user:word@b:2/");
        assert_eq!(chosen(&[("ALL_PROXY", "socks5://c:3"), http]), None);
    }

    #[test]
    fn a_client_of_a_cgi_program_names_no_proxy() {
        let cgi = ("REQUEST_METHOD", "GET");
        assert_eq!(chosen(&[cgi, ("HTTP_PROXY", "http://evil:1")]), None);
        for name in ["http_proxy", "HTTPS_PROXY", "ALL_PROXY"] {
            let variables = [cgi, ("HTTP_PROXY", "http://evil:1"), (name, "http://good:2")];
            assert_eq!(chosen(&variables).unwrap(), "http://good:2/", "{name}");
        }
    }

    #[test]
    fn hosts_are_excepted() {
        let variables = [("HTTPS_PROXY", "http://a:1"), ("no_proxy", "pccs.local, .internal")];
        let proxy = choose(|wanted| {
            let set = variables.iter().find(|(name, _)| *name == wanted);
            set.map(|(_, value)| (*value).to_owned())
        });
        let is_direct = |url: &str| proxy.as_ref().unwrap().is_no_proxy(&url.parse().unwrap());
        assert!(is_direct("https://pccs.local/") && is_direct("https://a.internal/"));
        assert!(!is_direct("https://api.trustedservices.intel.com/"));
    }
}
