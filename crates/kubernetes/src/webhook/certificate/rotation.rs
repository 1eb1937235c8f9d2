//! The rotation of the certificates in the Secret.

use std::time::SystemTime;

use super::authority::Authority;
use super::{CertificateProblem, Leaf, Material, ServiceName};

/// The certificates to use.
pub(crate) struct ActiveCertificates {
    pub(crate) material: Material,
    pub(crate) leaf: Leaf,
    /// The reason for a change; the material must be stored before use then.
    pub(crate) change: Option<String>,
}

/// Certificates that could not be issued.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IssueError {
    #[error("cannot make a certificate: {0}")]
    Make(#[from] rcgen::Error),
    #[error("the new certificate is unusable: {0}")]
    Unusable(#[from] CertificateProblem),
}

/// Returns the stored certificates if they are valid and not due for renewal, else new ones.
///
/// A new authority signs nothing while there is a valid certificate: the API server has to trust it
/// first. Unexpired authorities are never dropped, even if they cannot sign.
pub(crate) fn rotate(
    stored: Option<&Material>,
    service: &ServiceName,
    now: SystemTime,
) -> Result<ActiveCertificates, IssueError> {
    let Some(stored) = stored else {
        return issue(&Authority::generate(now)?, "there is none yet".to_owned(), service, now);
    };
    let (authority, change) = match Authority::read(stored, now) {
        Ok(authority) if !authority.needs_renewal(now) => {
            return with_authority(authority, stored, service, now);
        }
        Ok(authority) => (authority.renewed(now)?, "the authority is near its end".to_owned()),
        Err(problem) => {
            (Authority::replacing(stored, now)?, format!("of the authority: {problem}"))
        }
    };
    match Leaf::read(stored, &authority, service, now) {
        Ok(leaf) => Ok(keep(stored, &authority, leaf, Some(change))),
        Err(_) => issue(&authority, change, service, now),
    }
}

/// The stored certificates, if the API server accepts them now.
pub(crate) fn stored(
    stored: &Material,
    service: &ServiceName,
    now: SystemTime,
) -> Option<ActiveCertificates> {
    let authority = Authority::read(stored, now).ok()?;
    let leaf = Leaf::read(stored, &authority, service, now).ok()?;
    Some(ActiveCertificates { material: stored.clone(), leaf, change: None })
}

/// The certificates to use while the stored authority is not due.
fn with_authority(
    mut authority: Authority,
    stored: &Material,
    service: &ServiceName,
    now: SystemTime,
) -> Result<ActiveCertificates, IssueError> {
    match Leaf::read(stored, &authority, service, now) {
        Ok(leaf) if leaf.validity.needs_renewal(now) => {
            issue(&authority, "the certificate is near its end".to_owned(), service, now)
        }
        Ok(leaf) => {
            let change =
                authority.forget_expired(now).then(|| "an authority has expired".to_owned());
            Ok(keep(stored, &authority, leaf, change))
        }
        Err(problem) => issue(&authority, format!("of the certificate: {problem}"), service, now),
    }
}

fn issue(
    authority: &Authority,
    change: String,
    service: &ServiceName,
    now: SystemTime,
) -> Result<ActiveCertificates, IssueError> {
    let (certificate, key) = authority.issue(service, now)?;
    let (authorities, authority_key) = (authority.pem(), authority.key_pem());
    let material = Material { authorities, authority_key, certificate, key };
    let leaf = Leaf::read(&material, authority, service, now)?;
    Ok(ActiveCertificates { material, leaf, change: Some(change) })
}

fn keep(
    stored: &Material,
    authority: &Authority,
    leaf: Leaf,
    change: Option<String>,
) -> ActiveCertificates {
    let (authorities, authority_key) = (authority.pem(), authority.key_pem());
    let material = Material { authorities, authority_key, ..stored.clone() };
    ActiveCertificates { material, leaf, change }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::webhook::certificate::DAY;

    fn service() -> ServiceName {
        ServiceName { name: "sgx-webhook".into(), namespace: "kube-system".into() }
    }

    fn start() -> SystemTime {
        SystemTime::UNIX_EPOCH + DAY * 20_000
    }

    fn fresh() -> Material {
        rotate(None, &service(), start()).unwrap().material
    }

    /// True if the API server would accept the served certificate, given these trusted authorities.
    fn is_accepted(shown: &Material, trusted: &Material, now: SystemTime) -> bool {
        let Ok(authority) = Authority::read(trusted, now) else { return false };
        Leaf::read(shown, &authority, &service(), now).is_ok()
    }

    #[test]
    fn valid_certificates_are_kept() {
        let material = fresh();
        for days in [0, 1, 30, 59] {
            let active = rotate(Some(&material), &service(), start() + DAY * days).unwrap();
            assert_eq!(active.change, None);
            assert!(active.material == material);
        }
    }

    #[test]
    fn certificates_are_valid_by_a_clock_that_is_half_an_hour_slow() {
        let now = start() - DAY / 48;
        assert_eq!(rotate(Some(&fresh()), &service(), now).unwrap().change, None);
    }

    #[test]
    fn the_certificate_is_renewed_when_a_third_of_its_life_is_left() {
        let material = fresh();
        let active = rotate(Some(&material), &service(), start() + DAY * 61).unwrap();
        assert_eq!(active.change.as_deref(), Some("the certificate is near its end"));
        assert!(active.material.certificate != material.certificate);
        assert!(active.material.authorities == material.authorities);
        assert!(active.leaf.validity.end > start() + DAY * 150);
    }

    #[test]
    fn a_new_authority_signs_nothing_at_once() {
        let mut material = fresh();
        for days in (60..=240).step_by(60) {
            material = rotate(Some(&material), &service(), start() + DAY * days + DAY / 2)
                .unwrap()
                .material;
        }
        let now = start() + DAY * 244;
        let active = rotate(Some(&material), &service(), now).unwrap();
        assert_eq!(active.change.as_deref(), Some("the authority is near its end"));
        assert!(active.material.authority_key != material.authority_key);
        assert!(active.material.authorities.ends_with(&material.authorities), "the old one stays");
        assert!(active.material.certificate == material.certificate);
    }

    #[test]
    fn rotation_for_ten_years_tolerates_a_day_of_delay() {
        let mut material = fresh();
        let mut changes = 0;
        for day in 1..3650 {
            let now = start() + DAY * day;
            let active = rotate(Some(&material), &service(), now).unwrap();
            changes += u32::from(active.change.is_some());
            assert!(
                is_accepted(&active.material, &material, now),
                "day {day}: the API server has the old authorities"
            );
            assert!(
                is_accepted(&material, &active.material, now),
                "day {day}: the replica has the old certificate"
            );
            let authorities = active.material.authorities.matches("BEGIN").count();
            assert!(authorities <= 2, "day {day}: {authorities} authorities");
            material = active.material;
        }
        // Each certificate lasts 60 days, each authority 243 and 122 more.
        assert!((70..=95).contains(&changes), "{changes}");
    }

    #[test]
    fn expired_certificates_are_replaced() {
        for (days, keeps_authority) in [(91, true), (366, false), (10_000, false)] {
            let material = fresh();
            let now = start() + DAY * days;
            let active = rotate(Some(&material), &service(), now).unwrap();
            assert!(active.change.is_some());
            assert!(is_accepted(&active.material, &active.material, now));
            assert_eq!(active.material.authorities == material.authorities, keeps_authority);
        }
    }

    #[test]
    fn certificates_of_the_future_are_replaced() {
        let now = start() - DAY;
        let active = rotate(Some(&fresh()), &service(), now).unwrap();
        assert!(is_accepted(&active.material, &active.material, now));
    }

    #[test]
    fn an_authority_that_cannot_sign_stays_until_it_has_expired() {
        let material = fresh();
        let damaged = Material { authority_key: fresh().authority_key, ..material.clone() };
        let ahead = start() - DAY * 2;
        for (stored, now) in [(&damaged, start() + DAY), (&material, ahead)] {
            let active = rotate(Some(stored), &service(), now).unwrap();
            assert!(active.material.authorities.ends_with(&material.authorities));
            assert!(is_accepted(&active.material, &active.material, now));
        }
        let now = start() + DAY * 366;
        let active = rotate(Some(&damaged), &service(), now).unwrap();
        assert!(!active.material.authorities.contains(&material.authorities));
    }

    #[test]
    fn a_certificate_is_kept_when_the_authority_cannot_sign_any_more() {
        let material = fresh();
        let damaged = Material { authority_key: Zeroizing::default(), ..material.clone() };
        let active = rotate(Some(&damaged), &service(), start()).unwrap();
        assert!(active.material.certificate == material.certificate);
    }

    #[test]
    fn stored_certificates_are_used_while_valid() {
        let material = fresh();
        for (days, is_used) in [(0, true), (89, true), (91, false)] {
            let used = stored(&material, &service(), start() + DAY * days);
            assert_eq!(used.is_some(), is_used, "{days}");
        }
    }

    #[test]
    fn a_certificate_of_another_service_is_replaced() {
        let other = ServiceName { name: "other".into(), ..service() };
        let material = fresh();
        let active = rotate(Some(&material), &other, start()).unwrap();
        assert!(active.change.unwrap().contains("invalid for this service"));
        assert!(active.material.authorities == material.authorities);
    }

    #[test]
    fn problems_are_reported_and_repaired() {
        let (sound, another) = (fresh(), fresh());
        for (material, change) in [
            (Material { key: another.key.clone(), ..sound.clone() }, "of the certificate: its key"),
            (
                Material {
                    key: another.key.clone(),
                    certificate: another.certificate.clone(),
                    ..sound.clone()
                },
                "of the certificate: it is invalid for this service",
            ),
            (
                Material { key: Zeroizing::default(), ..sound.clone() },
                "of the certificate: it cannot",
            ),
            (
                Material { certificate: sound.key.to_string(), ..sound.clone() },
                "of the certificate: it",
            ),
            (
                Material { authority_key: another.authority_key.clone(), ..sound.clone() },
                "of the authority: its key",
            ),
            (
                Material { authorities: String::new(), ..sound.clone() },
                "of the authority: it cannot",
            ),
            (
                Material { authorities: sound.authorities.clone() + &sound.key, ..sound.clone() },
                "of the authority: it cannot",
            ),
        ] {
            let active = rotate(Some(&material), &service(), start()).unwrap();
            let told = active.change.unwrap();
            assert!(told.starts_with(change), "{told:?} is not {change:?}");
            assert!(is_accepted(&active.material, &active.material, start()));
        }
    }
}
