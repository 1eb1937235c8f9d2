//! The contents of the certificates.

use dcap_qvl::intel::parse_pck_extension;
use software_platform::{Deployment, PcsUrl, PkiError, SubjectNames};
use time::OffsetDateTime;
use time::macros::datetime;
use x509_cert::Certificate;
use x509_cert::crl::CertificateList;
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::{Decode, DecodePem};
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, CrlDistributionPoints, CrlNumber, KeyUsage,
    KeyUsages, SubjectKeyIdentifier,
};

use crate::by_hand::{CREATED, NOW, SUBJECT, deployment, key, pck_certificate, public_key};

/// One of each: root, PCK platform CA, TCB signer, PCK.
fn certificates(deployment: &Deployment) -> [Certificate; 4] {
    let collateral = deployment.collateral(&deployment.up_to_date(&SUBJECT, NOW)).unwrap();
    let pck = pck_certificate(deployment);
    let first = |pem: &str| Certificate::load_pem_chain(pem.as_bytes()).unwrap().remove(0);
    [
        Certificate::from_der(deployment.root_certificate().der()).unwrap(),
        first(&collateral.pck_crl_issuer_chain),
        first(&collateral.tcb_info_issuer_chain),
        Certificate::from_der(pck.leaf().der()).unwrap(),
    ]
}

fn extension<'a, T>(certificate: &'a Certificate) -> (bool, T)
where
    T: Decode<'a, Error = x509_cert::der::Error> + AssociatedOid,
{
    certificate.tbs_certificate().get_extension::<T>().unwrap().unwrap()
}

#[test]
fn subject_names_are_insecure_or_intels_below_an_insecure_root() {
    let names = |names| {
        certificates(&deployment(names)).map(|certificate| {
            let certificate = certificate.tbs_certificate();
            (certificate.subject().to_string(), certificate.issuer().to_string())
        })
    };
    let intel =
        |phrase: &str| format!("C=US,ST=CA,L=Santa Clara,O=Intel Corporation,CN=Intel {phrase}");
    let software =
        |phrase| format!("O=sgx-quote-helper software platform,CN=INSECURE Software {phrase}");
    let tree = [
        ("SGX Root CA", "SGX Root CA"),
        ("SGX PCK Platform CA", "SGX Root CA"),
        ("SGX TCB Signing", "SGX Root CA"),
        ("SGX PCK Certificate", "SGX PCK Platform CA"),
    ];
    let below_insecure = |phrase: &str| match phrase {
        "SGX Root CA" => "O=sgx-quote-helper software platform,OU=what is below has Intel's \
                          names,CN=INSECURE Software SGX Root CA"
            .to_owned(),
        phrase => intel(phrase),
    };
    let expected = tree.map(|(own, by)| (below_insecure(own), below_insecure(by)));
    assert_eq!(names(SubjectNames::Intel), expected);
    assert_eq!(names(SubjectNames::Software), tree.map(|(own, by)| (software(own), software(by))));
}

#[test]
fn subject_names_change_nothing_else() {
    let keys = |names| {
        certificates(&deployment(names)).map(|certificate| {
            let certificate = certificate.tbs_certificate();
            let key = certificate.subject_public_key_info().clone();
            (key, certificate.serial_number().clone(), certificate.extensions().cloned())
        })
    };
    assert_eq!(keys(SubjectNames::Software), keys(SubjectNames::Intel));
}

#[test]
fn lifetimes_are_those_of_intel() {
    let ends = certificates(&deployment(SubjectNames::Software)).map(|certificate| {
        let validity = *certificate.tbs_certificate().validity();
        assert_eq!(validity.not_before.to_unix_duration().as_secs(), seconds(CREATED));
        validity.not_after.to_unix_duration().as_secs()
    });
    let seven_years = datetime!(2033-01-29 12:00:00 UTC);
    let expected = [
        datetime!(2049-12-31 23:59:59 UTC),
        datetime!(2041-01-27 12:00:00 UTC),
        seven_years,
        seven_years,
    ];
    assert_eq!(ends, expected.map(seconds));
}

#[test]
fn no_certificate_outlives_the_root() {
    let created = datetime!(2049-12-31 23:59:58 UTC);
    let deployment = Deployment::from_seed([7; 32], SubjectNames::Software, created).unwrap();
    for certificate in certificates(&deployment) {
        let end = certificate.tbs_certificate().validity().not_after.to_unix_duration().as_secs();
        assert_eq!(end, seconds(datetime!(2049-12-31 23:59:59 UTC)));
    }
}

#[test]
fn key_identifiers_match_subject_and_issuer() {
    let certificates = certificates(&deployment(SubjectNames::Software));
    let own = certificates.each_ref().map(|c| extension::<SubjectKeyIdentifier>(c).1.0);
    let issuer = certificates.each_ref().map(|c| {
        let (_, authority) = extension::<AuthorityKeyIdentifier>(c);
        authority.key_identifier.unwrap()
    });
    assert_eq!(issuer, [&own[0], &own[0], &own[0], &own[1]].map(Clone::clone));
    assert_ne!(own[0], own[1]);
}

#[test]
fn key_usages_match_the_role() {
    let ca = KeyUsages::KeyCertSign | KeyUsages::CRLSign;
    let signer = KeyUsages::DigitalSignature | KeyUsages::NonRepudiation;
    let certificates = certificates(&deployment(SubjectNames::Software));
    let constraints = certificates.each_ref().map(extension::<BasicConstraints>);
    let expected = [(true, Some(1)), (true, Some(0)), (false, None), (false, None)];
    assert_eq!(
        constraints.map(|(critical, found)| (critical, found.ca, found.path_len_constraint)),
        expected.map(|(ca, path_len)| (true, ca, path_len))
    );
    let usages = certificates.each_ref().map(extension::<KeyUsage>);
    assert_eq!(usages, [ca, ca, signer, signer].map(|usage| (true, KeyUsage(usage))));
}

/// Existing certificates must not change, and so neither the URLs of their CRLs.
#[test]
fn crl_urls_are_those_of_the_issuer() {
    let root = "http://localhost:8081/SGXRootCA.der";
    let pck = "http://localhost:8081/sgx/certification/v4/pckcrl?ca=platform&encoding=der";
    assert_eq!(crl_urls(&deployment(SubjectNames::Software)), [root, root, root, pck]);
}

#[test]
fn crl_urls_are_below_the_pcs_url() {
    let url: PcsUrl = "https://pcs.test:8443/software/".parse().unwrap();
    let deployment = Deployment::with_pcs_url([7; 32], SubjectNames::Software, CREATED, url);
    let root = "https://pcs.test:8443/software/IntelSGXRootCA.der";
    let pck = "https://pcs.test:8443/software/sgx/certification/v4/pckcrl?ca=platform&encoding=der";
    assert_eq!(crl_urls(&deployment.unwrap()), [root, root, root, pck]);
    for wrong in ["", "pcs.test", "ftp://pcs.test", "http://", "http://a/?b", "http://a b"] {
        assert!(wrong.parse::<PcsUrl>().is_err(), "{wrong}");
    }
}

fn crl_urls(deployment: &Deployment) -> [String; 4] {
    certificates(deployment).map(|certificate| {
        let (_, points) = extension::<CrlDistributionPoints>(&certificate);
        let [point] = &points.0[..] else { panic!("one distribution point") };
        let Some(DistributionPointName::FullName(names)) = &point.distribution_point else {
            panic!("a full name");
        };
        let [GeneralName::UniformResourceIdentifier(url)] = &names[..] else { panic!("one URL") };
        url.to_string()
    })
}

#[test]
fn the_pck_certificate_identifies_the_platform() {
    let pck = pck_certificate(&deployment(SubjectNames::Software));
    let found = parse_pck_extension(pck.leaf().der()).unwrap();
    assert_eq!(found.ppid, SUBJECT.ppid);
    assert_eq!(found.cpu_svn, SUBJECT.cpu_svn.0);
    assert_eq!(found.pce_svn, SUBJECT.pce_svn);
    assert_eq!(found.pce_id, SUBJECT.pce_id);
    assert_eq!(found.fmspc, SUBJECT.fmspc);
    assert_eq!(found.sgx_type, 1);
    assert_eq!(found.platform_instance_id, Some(SUBJECT.platform_instance_id.to_vec()));
    let flags = [found.dynamic_platform, found.cached_keys, found.smt_enabled];
    assert_eq!(flags, [Some(false); 3]);
    for (number, svn) in (1..=16).zip(SUBJECT.cpu_svn.0) {
        let oid = format!("1.2.840.113741.1.13.1.2.{number}").parse().unwrap();
        let integer = found.get_value(&oid).unwrap().unwrap();
        assert_eq!(integer.last(), Some(&svn), "component {number}");
        assert!(integer[0] < 0x80, "component {number} is negative");
    }
}

#[test]
fn the_pck_serial_is_its_own() {
    let deployment = deployment(SubjectNames::Software);
    let pck = pck_certificate(&deployment);
    let parsed = Certificate::from_der(pck.leaf().der()).unwrap();
    assert_eq!(parsed.tbs_certificate().serial_number().as_bytes(), pck.serial());
    let mut after_update = SUBJECT;
    after_update.pce_svn += 1;
    let key = public_key(&key(1));
    let other = deployment.certify_pck(&after_update, &key).unwrap();
    assert_ne!(other.serial(), pck.serial());
}

#[test]
fn the_chain_is_leaf_platform_ca_root() {
    let deployment = deployment(SubjectNames::Software);
    let pck = pck_certificate(&deployment);
    let chain = Certificate::load_pem_chain(pck.chain_pem().as_bytes()).unwrap();
    let [root, platform_ca, _, leaf] = certificates(&deployment);
    assert_eq!(chain, [leaf, platform_ca, root.clone()]);
    assert_eq!(Certificate::from_pem(deployment.root_certificate().pem()).unwrap(), root);
}

#[test]
fn a_key_off_the_curve_is_not_certified() {
    let refusal = deployment(SubjectNames::Software).certify_pck(&SUBJECT, &[1; 64]);
    assert!(matches!(refusal, Err(PkiError::PublicKey)));
}

#[test]
fn crls_have_a_growing_number_and_name_their_issuers_key() {
    let deployment = deployment(SubjectNames::Intel);
    let number = |now| {
        let collateral = deployment.collateral(&deployment.up_to_date(&SUBJECT, now)).unwrap();
        let [root, platform_ca, ..] = certificates(&deployment);
        let crls = [(&collateral.root_ca_crl, root), (&collateral.pck_crl, platform_ca)];
        crls.map(|(crl, issuer)| {
            let crl = <CertificateList>::from_der(crl).unwrap().tbs_cert_list;
            assert_eq!(&crl.issuer, issuer.tbs_certificate().subject());
            let find = |oid| {
                let extensions = crl.crl_extensions.as_ref().unwrap();
                let found = extensions.iter().find(|extension| extension.extn_id == oid);
                found.unwrap().extn_value.as_bytes()
            };
            let authority = AuthorityKeyIdentifier::from_der(find(AuthorityKeyIdentifier::OID));
            let issuers_key = extension::<SubjectKeyIdentifier>(&issuer).1.0;
            assert_eq!(authority.unwrap().key_identifier, Some(issuers_key));
            CrlNumber::from_der(find(CrlNumber::OID)).unwrap().0.as_bytes().to_vec()
        })
    };
    let later = NOW + time::Duration::HOUR;
    assert!(number(NOW) < number(later));
}

fn seconds(time: OffsetDateTime) -> u64 {
    time.unix_timestamp().try_into().unwrap()
}
