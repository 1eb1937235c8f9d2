//! EGETKEY: each key from its bytes laid out by hand, and each error.

use aws_lc_rs::cmac;
use sgx::{
    Attributes, CpuSvn, IntoBytes, KeyId, KeyName, KeyPolicy, KeyRequest, MrEnclave, MrSigner,
    ReportData, U16, U32,
};
use software_platform::{Cpu, EgetkeyError, EnclaveIdentity, SoftwareEnclave};

const OWNER_EPOCH: &[u8] = b"THISISOWNEREPOCH";
const ALL_POLICIES: u16 = 0x3b;

#[test]
fn seal_key_is_derived_from_280_bytes() {
    let expected = Derivation::new(280)
        .put(0, &[4, 0, ALL_POLICIES as u8, 0])
        .put(8, &masked_attributes())
        .put(24, request(KeyName::Seal).attribute_mask.as_bytes())
        .put(40, &0x1000_u32.to_le_bytes())
        .put(44, &(!0x1100_u32).to_le_bytes())
        .put(48, OWNER_EPOCH)
        .put(64, &Cpu::Downgraded.cpu_svn().0)
        .put(80, &[5, 0, 7, 0, 2, 0])
        .put(86, &[0x61; 64])
        .put(150, &[0x62; 16])
        .put(166, &[0x63; 16])
        .put(182, &[0x64; 32])
        .put(214, &[0x65; 32])
        .put(246, &[0x66; 32])
        .key("00112233445566778899aabbccddeeff");
    assert_eq!(key(&request(KeyName::Seal)), expected);
}

#[test]
fn provision_seal_key_is_derived_from_200_bytes() {
    let expected = Derivation::new(200)
        .put(0, &[2, 0, ALL_POLICIES as u8, 0])
        .put(8, &masked_attributes())
        .put(24, request(KeyName::Seal).attribute_mask.as_bytes())
        .put(40, &0x1000_u32.to_le_bytes())
        .put(44, &(!0x1100_u32).to_le_bytes())
        .put(48, &Cpu::Downgraded.cpu_svn().0)
        .put(64, &[5, 0, 7, 0, 2, 0])
        .put(70, &[0x61; 64])
        .put(134, &[0x62; 16])
        .put(150, &[0x63; 16])
        .put(166, &[0x65; 32])
        .key(&hex::encode("PROVISIONSEALKEY"));
    assert_eq!(key(&request(KeyName::ProvisionSeal)), expected);
}

#[test]
fn provision_key_is_derived_from_104_bytes() {
    let expected = Derivation::new(104)
        .put(0, &[1, 0])
        .put(8, &masked_attributes())
        .put(24, request(KeyName::Seal).attribute_mask.as_bytes())
        .put(40, &0x1000_u32.to_le_bytes())
        .put(44, &(!0x1100_u32).to_le_bytes())
        .put(48, &Cpu::Downgraded.cpu_svn().0)
        .put(64, &[5, 0, 7, 0])
        .put(68, &[0x65; 32])
        .key("bbaabbeeff0000ddbbaabbeeff0000dd");
    assert_eq!(key(&request(KeyName::Provision)), expected);
}

#[test]
fn einit_token_key_is_derived_from_128_bytes() {
    let expected = Derivation::new(128)
        .put(0, &[0, 0])
        .put(8, &masked_attributes())
        .put(24, &0x1000_u32.to_le_bytes())
        .put(28, OWNER_EPOCH)
        .put(44, &Cpu::Downgraded.cpu_svn().0)
        .put(60, &[5, 0, 7, 0])
        .put(64, &[0x65; 32])
        .put(96, &[0x66; 32])
        .key("aa55aa55aa55aa55aa55aa55aa55aa55");
    assert_eq!(key(&request(KeyName::EinitToken)), expected);
}

#[test]
fn report_key_checks_reports() {
    let report = enclave().report(&enclave().target_info(), ReportData([9; 64]));
    let mut request = KeyRequest::new(KeyName::Report);
    request.key_id = report.key_id;
    assert_eq!(cmac_of(&key(&request), report.body.as_bytes()), report.mac);
}

#[test]
fn fields_that_the_policy_leaves_out_do_not_enter_a_seal_key() {
    let bare = EnclaveIdentity { attributes: identity().attributes, ..EnclaveIdentity::default() };
    let mut request = KeyRequest::new(KeyName::Seal);
    request.key_policy.set(KeyPolicy::NOISVPRODID);
    let bare_key = SoftwareEnclave::new(bare).key(&request).unwrap();
    assert_eq!(key(&request), *bare_key);

    for policy in [0, 0x01, 0x02, 0x08, 0x10, 0x20] {
        request.key_policy.set(policy);
        assert_ne!(key(&request), *SoftwareEnclave::new(bare).key(&request).unwrap(), "{policy}");
    }
}

#[test]
fn a_cpu_svn_of_zero_is_the_current_one() {
    let mut zero = request(KeyName::Seal);
    zero.cpu_svn = CpuSvn::default();
    let mut current = zero;
    current.cpu_svn = Cpu::Current.cpu_svn();
    assert_eq!(key(&zero), key(&current));
}

#[test]
fn refuses_names_that_are_no_keys() {
    for number in [5, 0xffff] {
        let mut request = request(KeyName::Seal);
        request.key_name.set(number);
        assert_eq!(refusal(&identity(), &request), EgetkeyError::KeyName(number));
    }
}

#[test]
fn refuses_keys_that_need_an_attribute() {
    let flags = Attributes::INIT | Attributes::KSS;
    let plain = EnclaveIdentity { attributes: Attributes::new(flags, 0xe7), ..identity() };
    for name in [KeyName::Provision, KeyName::ProvisionSeal, KeyName::EinitToken] {
        assert_eq!(refusal(&plain, &request(name)), EgetkeyError::Attribute(name));
    }
}

#[test]
fn refuses_versions_above_the_enclave_s_own() {
    let names = [KeyName::Seal, KeyName::Provision, KeyName::ProvisionSeal, KeyName::EinitToken];
    for name in names {
        let mut request = request(name);
        request.isv_svn = U16::new(7);
        let expected = EgetkeyError::IsvSvn { requested: 7, own: 6 };
        assert_eq!(refusal(&identity(), &request), expected);
    }
    for name in [KeyName::Seal, KeyName::ProvisionSeal] {
        let mut request = request(name);
        request.config_svn = U16::new(4);
        let expected = EgetkeyError::ConfigSvn { requested: 4, own: 3 };
        assert_eq!(refusal(&identity(), &request), expected);
    }
}

#[test]
fn refuses_cpu_svns_that_are_unknown_or_later() {
    let mut request = request(KeyName::Seal);
    let unknown = CpuSvn([1; 16]);
    for cpu_svn in [unknown, Cpu::Upgraded.cpu_svn()] {
        request.cpu_svn = cpu_svn;
        assert_eq!(refusal(&identity(), &request), EgetkeyError::CpuSvn(cpu_svn));
    }
    assert!(SoftwareEnclave::on(Cpu::Upgraded, identity()).key(&request).is_ok());
}

#[test]
fn refuses_every_reserved_bit() {
    let reserved = (6..8).chain(78..512).flat_map(|byte| (0..8).map(move |bit| (byte, bit)));
    let undefined_policies = [(2, 6), (2, 7)].into_iter().chain((0..8).map(|bit| (3, bit)));
    for (byte, bit) in reserved.chain(undefined_policies) {
        let mut bytes = request(KeyName::Seal).as_bytes().to_vec();
        bytes[byte] |= 1 << bit;
        let request = sgx::parse("KEYREQUEST", &bytes).unwrap();
        assert_eq!(refusal(&identity(), &request), EgetkeyError::ReservedBits, "{byte} {bit}");
    }
}

#[test]
fn refuses_what_needs_kss_without_it() {
    let attributes = Attributes::new(Attributes::INIT, 0x3);
    let without = EnclaveIdentity { attributes, ..identity() };
    for policy in [0x04, 0x08, 0x10, 0x20] {
        let mut request = KeyRequest::new(KeyName::Seal);
        request.key_policy.set(policy);
        assert_eq!(refusal(&without, &request), EgetkeyError::NeedsKss(policy));
    }
    let mut request = KeyRequest::new(KeyName::Seal);
    request.config_svn = U16::new(1);
    assert_eq!(refusal(&without, &request), EgetkeyError::NeedsKss(0));
}

/// Each field has its own value, so that a field in a wrong place shows.
fn identity() -> EnclaveIdentity {
    let flags = Attributes::INIT
        | Attributes::MODE64BIT
        | Attributes::PROVISION_KEY
        | Attributes::EINITTOKEN_KEY
        | Attributes::KSS;
    EnclaveIdentity {
        mr_enclave: MrEnclave([0x64; 32]),
        mr_signer: MrSigner([0x65; 32]),
        isv_prod_id: 7,
        isv_svn: 6,
        attributes: Attributes::new(flags, 0xe7),
        misc_select: 0x1001,
        config_id: [0x61; 64],
        config_svn: 3,
        isv_family_id: [0x62; 16],
        isv_ext_prod_id: [0x63; 16],
    }
}

fn request(name: KeyName) -> KeyRequest {
    let mut request = KeyRequest::new(name);
    request.key_policy.set(ALL_POLICIES);
    request.isv_svn = U16::new(5);
    request.cpu_svn = Cpu::Downgraded.cpu_svn();
    request.attribute_mask = Attributes::new(Attributes::MODE64BIT, 0x3);
    request.key_id = KeyId([0x66; 32]);
    request.misc_mask = U32::new(0x1100);
    request.config_svn = U16::new(2);
    request
}

/// INIT always enters, MODE64BIT by the mask.
fn masked_attributes() -> [u8; 16] {
    [0x05, 0, 0, 0, 0, 0, 0, 0, 0x03, 0, 0, 0, 0, 0, 0, 0]
}

fn enclave() -> SoftwareEnclave {
    SoftwareEnclave::new(identity())
}

fn key(request: &KeyRequest) -> [u8; 16] {
    *enclave().key(request).unwrap()
}

fn refusal(identity: &EnclaveIdentity, request: &KeyRequest) -> EgetkeyError {
    SoftwareEnclave::new(*identity).key(request).unwrap_err()
}

/// The derivation structure, byte by byte.
struct Derivation(Vec<u8>);

impl Derivation {
    fn new(size: usize) -> Self {
        Self(vec![0; size])
    }

    fn put(mut self, offset: usize, bytes: &[u8]) -> Self {
        self.0[offset..offset + bytes.len()].copy_from_slice(bytes);
        self
    }

    fn key(&self, built_in_key: &str) -> [u8; 16] {
        cmac_of(&hex::decode(built_in_key).unwrap(), &self.0)
    }
}

fn cmac_of(key: &[u8], data: &[u8]) -> [u8; 16] {
    let key = cmac::Key::new(cmac::AES_128, key).unwrap();
    cmac::sign(&key, data).unwrap().as_ref().try_into().unwrap()
}
