//! Messages for kubeconfigs that cannot be used.

use std::error::Error;

use anyhow::anyhow;
use kube::config::{InferConfigError, KubeconfigError, LoadDataError};

/// The problem of a kubeconfig. Outside of a pod there is no other configuration.
pub(super) fn inferring(error: &InferConfigError) -> anyhow::Error {
    match Error::source(error).and_then(<dyn Error>::downcast_ref::<KubeconfigError>) {
        Some(error) => reading(error),
        None => anyhow!("there is no kubeconfig, and this is not a pod"),
    }
}

pub(super) fn reading(error: &KubeconfigError) -> anyhow::Error {
    match error {
        KubeconfigError::CurrentContextNotSet => anyhow!(
            "the kubeconfig has no current context; choose one with `kubectl config use-context`"
        ),
        KubeconfigError::KindMismatch | KubeconfigError::ApiVersionMismatch => {
            anyhow!("the files in KUBECONFIG are of different kinds; name one of them")
        }
        KubeconfigError::LoadContext(name) => anyhow!(
            "the kubeconfig has no context {name:?}; `kubectl config get-contexts` lists them"
        ),
        KubeconfigError::LoadClusterOfContext(name) => {
            anyhow!("the kubeconfig has no cluster {name:?}, which its context names")
        }
        KubeconfigError::FindPath => anyhow!("HOME is not set, so there is no ~/.kube/config"),
        KubeconfigError::ReadConfig(error, path) => {
            anyhow!("cannot read {}: {error}", path.display())
        }
        KubeconfigError::Parse(error) => {
            anyhow!("the kubeconfig is not valid YAML{}", place(&error.to_string()))
        }
        KubeconfigError::MissingClusterUrl => {
            anyhow!("the cluster in the kubeconfig has no `server`")
        }
        KubeconfigError::ParseClusterUrl(_) => {
            anyhow!("the `server` in the kubeconfig is not a URL; write https://HOST:PORT")
        }
        KubeconfigError::ParseProxyUrl(_) => {
            anyhow!("the `proxy-url` in the kubeconfig is not a URL; write http://HOST:PORT")
        }
        KubeconfigError::LoadCertificateAuthority(error) => data("certificate-authority", error),
        KubeconfigError::LoadClientCertificate(error) => data("client-certificate", error),
        KubeconfigError::LoadClientKey(error) => data("client-key", error),
        KubeconfigError::ParseCertificates(_) => {
            anyhow!(
                "the `certificate-authority` in the kubeconfig is not a PEM file of certificates"
            )
        }
    }
}

fn data(name: &str, error: &LoadDataError) -> anyhow::Error {
    match error {
        LoadDataError::DecodeBase64(_) => {
            anyhow!("the `{name}-data` in the kubeconfig is not base64")
        }
        LoadDataError::ReadFile(error, path) => {
            anyhow!("cannot read the `{name}` {} of the kubeconfig: {error}", path.display())
        }
        LoadDataError::NoBase64DataOrFile => {
            anyhow!("the kubeconfig has neither `{name}` nor `{name}-data`")
        }
    }
}

/// Turns `error: line 1 column 2: words` into ` (line 1 column 2)`.
fn place(error: &str) -> String {
    let place = error.strip_prefix("error: ").and_then(|error| error.split_once(": "));
    match place {
        Some((place, _)) if place.starts_with("line ") => format!(" ({place})"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn every_problem_has_its_own_message() {
        use KubeconfigError as Problem;
        let yaml = serde_saphyr::from_str::<u8>("{").unwrap_err();
        let no_url = || "http://[".parse::<axum::http::Uri>().unwrap_err();
        let no_base64 = || LoadDataError::NoBase64DataOrFile;
        let missing = || std::io::Error::from(ErrorKind::NotFound);
        let file = || LoadDataError::ReadFile(missing(), PathBuf::from("/key"));
        for (problem, words) in [
            (Problem::CurrentContextNotSet, "kubectl config use-context"),
            (Problem::KindMismatch, "of different kinds"),
            (Problem::ApiVersionMismatch, "of different kinds"),
            (Problem::LoadContext("a".to_owned()), "no context \"a\""),
            (Problem::LoadClusterOfContext("b".to_owned()), "no cluster \"b\""),
            (Problem::FindPath, "HOME is not set"),
            (Problem::ReadConfig(missing(), PathBuf::from("/k")), "cannot read /k: "),
            (Problem::Parse(Box::new(yaml)), "not valid YAML (line 1 column "),
            (Problem::MissingClusterUrl, "no `server`"),
            (Problem::ParseClusterUrl(no_url()), "write https://HOST:PORT"),
            (Problem::ParseProxyUrl(no_url()), "write http://HOST:PORT"),
            (Problem::LoadCertificateAuthority(no_base64()), "neither `certificate-authority`"),
            (Problem::LoadClientCertificate(file()), "`client-certificate` /key"),
            (Problem::LoadClientKey(no_base64()), "neither `client-key` nor"),
        ] {
            let said = reading(&problem).to_string();
            assert!(said.contains(words), "{said}");
            assert!(!said.contains("failed to"), "{said}");
        }
    }
}
