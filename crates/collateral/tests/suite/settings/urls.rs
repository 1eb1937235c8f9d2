//! URLs of services.

use collateral::settings::ServiceUrl;

#[test]
fn the_path_of_the_api_is_taken_off() {
    for (text, url) in [
        ("https://pccs:8081", "https://pccs:8081"),
        ("https://pccs:8081/", "https://pccs:8081"),
        ("https://pccs:8081/sgx/certification/v4/", "https://pccs:8081"),
        ("https://pccs:8081/sgx/certification", "https://pccs:8081"),
        ("https://pccs/sgx/certification/v3", "https://pccs"),
        ("https://pccs/tdx/certification/v4//", "https://pccs"),
        ("https://proxy/a/b/sgx/certification/v4/", "https://proxy/a/b"),
        ("https://proxy/v2/", "https://proxy/v2"),
        ("https://proxy/version", "https://proxy/version"),
        ("HTTP://Host.Example:80/A", "http://host.example:80/A"),
        ("http://[::1]:8081/x", "http://[::1]:8081/x"),
    ] {
        let parsed = ServiceUrl::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(parsed.as_str(), url, "{text}");
    }
}

#[test]
fn invalid_urls_are_reported() {
    for (text, problem) in [
        ("", "\"\" is no URL"),
        ("pccs", "has no scheme"),
        ("pccs:8081", "has no scheme"),
        ("/path", "has no scheme"),
        ("//pccs", "has no scheme"),
        ("https://", "is no URL"),
        ("https://:8081", "has no good host and port"),
        ("https://pccs:0", "has no good host and port"),
        ("https://pccs:99999", "has no good host and port"),
        ("https://pccs:80a", "has no good host and port"),
        ("https://pccs:", "has no good host and port"),
        ("gopher://pccs", "is no URL with http or https"),
        ("https://pc cs", "is no URL"),
        ("https://pccs/\n", "is no URL"),
        ("https://pccs/\0", "is no URL"),
        (r"https:\/\/pccs:8081/", r"it has the character '\\'; write slashes, each alone"),
        (r"https://pccs\sgx", r"it has the character '\\'; write slashes, each alone"),
        ("https://pccs/\"", "it has the character '\"'"),
        ("https://pccs/ü", "it has the character 'ü'"),
        ("https://pccs/?a=b", "goes on behind the path"),
        ("https://pccs/#a", "goes on behind the path"),
        ("https://pccs/?token=secret", "\"https://pccs/\" goes on behind the path"),
        ("https://pccs/sgx/certification/v5", "is of another version than 4"),
        ("https://pccs/sgx/certification/v", "is of another version than 4"),
        ("https://pccs/sgx/certification/v99999999999", "is of another version than 4"),
        ("https://user:secret@pccs", "a URL with a user or a password; leave them out"),
    ] {
        let error = ServiceUrl::parse(text).expect_err(text);
        assert!(error.contains(problem), "{text:?}: {error}");
        assert!(!error.contains("secret"), "{error}");
    }
    let long = format!("https://pccs/{}", "a".repeat(2048));
    assert_eq!(ServiceUrl::parse(&long).unwrap_err(), "a URL of more than 2048 bytes");
}
