//! Every structure lies in memory as the SDM and the DCAP API say, and survives parsing and
//! serializing to the byte, reserved fields included.

use sgx::{
    AttestationKeyId, Attributes, Describe, FromBytes, IntoBytes, KeyRequest, QeReportInfo, Quote,
    QuoteHeader, Report, ReportBody, SigStruct, TargetInfo, parse,
};

/// Bytes that are all different from their neighbours.
fn pattern(size: usize) -> Vec<u8> {
    (0..size).map(|position| (position * 7 + position / 256) as u8).collect()
}

/// Round trip of the bytes, and an error for every other size.
macro_rules! fixed_size {
    ($test:ident, $structure:ty, $size:literal) => {
        #[test]
        fn $test() {
            let bytes = pattern($size);
            let structure = parse::<$structure>("it", &bytes).unwrap();
            assert_eq!(sgx::IntoBytes::as_bytes(&structure), bytes);
            for wrong in (0..$size).chain([$size + 1, 2 * $size]) {
                let error = parse::<$structure>("it", &pattern(wrong)).unwrap_err();
                assert_eq!((error.expected, error.actual), ($size, wrong));
            }
        }
    };
}

fixed_size!(report, Report, 432);
fixed_size!(report_body, ReportBody, 384);
fixed_size!(target_info, TargetInfo, 512);
fixed_size!(qe_report_info, QeReportInfo, 960);
fixed_size!(attestation_key_id, AttestationKeyId, 256);
fixed_size!(key_request, KeyRequest, 512);
fixed_size!(attributes, Attributes, 16);
fixed_size!(quote_header, QuoteHeader, 48);

fn le16(bytes: &[u8], offset: usize) -> u16 {
    u16::from_le_bytes(bytes[offset..offset + 2].try_into().unwrap())
}

#[test]
fn report_fields_are_at_their_offsets() {
    let bytes = pattern(432);
    let report = Report::read_from_bytes(&bytes).unwrap();
    let body = &report.body;
    assert_eq!(body.cpu_svn.0, bytes[..16]);
    assert_eq!(body.misc_select.as_bytes(), &bytes[16..20]);
    assert_eq!(body.isv_ext_prod_id.0, bytes[32..48]);
    assert_eq!(body.attributes.as_bytes(), &bytes[48..64]);
    assert_eq!(body.mr_enclave.0, bytes[64..96]);
    assert_eq!(body.mr_signer.0, bytes[128..160]);
    assert_eq!(body.config_id.0, bytes[192..256]);
    assert_eq!(body.isv_prod_id.get(), le16(&bytes, 256));
    assert_eq!(body.isv_svn.get(), le16(&bytes, 258));
    assert_eq!(body.config_svn.get(), le16(&bytes, 260));
    assert_eq!(body.isv_family_id.0, bytes[304..320]);
    assert_eq!(body.report_data.0, bytes[320..384]);
    assert_eq!(report.key_id.0, bytes[384..416]);
    assert_eq!(report.mac, bytes[416..432]);
}

#[test]
fn target_info_fields_are_at_their_offsets() {
    let bytes = pattern(512);
    let target_info = TargetInfo::read_from_bytes(&bytes).unwrap();
    assert_eq!(target_info.mr_enclave.0, bytes[..32]);
    assert_eq!(target_info.attributes.as_bytes(), &bytes[32..48]);
    assert_eq!(target_info.config_svn.get(), le16(&bytes, 50));
    assert_eq!(target_info.misc_select.as_bytes(), &bytes[52..56]);
    assert_eq!(target_info.config_id, bytes[64..128]);
}

#[test]
fn attestation_key_id_fields_are_at_their_offsets() {
    let bytes = pattern(256);
    let key_id = AttestationKeyId::read_from_bytes(&bytes).unwrap();
    assert_eq!(key_id.mr_signer_length.get(), le16(&bytes, 4));
    assert_eq!(key_id.mr_signer, bytes[6..54]);
    assert_eq!(key_id.prod_id.as_bytes(), &bytes[54..58]);
    assert_eq!(key_id.extended_prod_id, bytes[58..74]);
    assert_eq!(key_id.config_id, bytes[74..138]);
    assert_eq!(key_id.family_id, bytes[138..154]);
    assert_eq!(key_id.algorithm_id.as_bytes(), &bytes[154..158]);
    assert_eq!(key_id.spid, bytes[158..174]);
    assert_eq!(key_id.att_key_type.get(), le16(&bytes, 174));
}

#[test]
fn key_request_fields_are_at_their_offsets() {
    let bytes = pattern(512);
    let request = KeyRequest::read_from_bytes(&bytes).unwrap();
    assert_eq!(request.key_name.get(), le16(&bytes, 0));
    assert_eq!(request.key_policy.get(), le16(&bytes, 2));
    assert_eq!(request.isv_svn.get(), le16(&bytes, 4));
    assert_eq!(request.cpu_svn.0, bytes[8..24]);
    assert_eq!(request.attribute_mask.as_bytes(), &bytes[24..40]);
    assert_eq!(request.key_id.0, bytes[40..72]);
    assert_eq!(request.misc_mask.as_bytes(), &bytes[72..76]);
    assert_eq!(request.config_svn.get(), le16(&bytes, 76));
}

#[test]
fn sig_struct_fields_are_at_their_offsets() {
    let bytes = pattern(1_808);
    let sig_struct: SigStruct = parse("a SIGSTRUCT", &bytes).unwrap();
    assert_eq!(sig_struct.header, bytes[..16]);
    assert_eq!(sig_struct.header_2, bytes[24..40]);
    assert_eq!(sig_struct.modulus, bytes[128..512]);
    assert_eq!(sig_struct.exponent.as_bytes(), &bytes[512..516]);
    assert_eq!(sig_struct.signature, bytes[516..900]);
    assert_eq!(sig_struct.isv_family_id.0, bytes[912..928]);
    assert_eq!(sig_struct.attributes.as_bytes(), &bytes[928..944]);
    assert_eq!(sig_struct.enclave_hash.0, bytes[960..992]);
    assert_eq!(sig_struct.isv_ext_prod_id.0, bytes[1_008..1_024]);
    assert_eq!(sig_struct.isv_prod_id.get(), le16(&bytes, 1_024));
    assert_eq!(sig_struct.isv_svn.get(), le16(&bytes, 1_026));
    assert_eq!(sig_struct.q1, bytes[1_040..1_424]);
    assert_eq!(sig_struct.signed_bytes(), [&bytes[..128], &bytes[900..1_028]].concat());
}

#[test]
fn qe_report_info_consists_of_nonce_target_and_report() {
    let bytes = pattern(960);
    let info = QeReportInfo::read_from_bytes(&bytes).unwrap();
    assert_eq!(info.nonce, bytes[..16]);
    assert_eq!(info.target_info.as_bytes(), &bytes[16..528]);
    assert_eq!(info.qe_report.as_bytes(), &bytes[528..]);
}

#[test]
fn the_key_id_that_clients_know_by_heart() {
    let recorded = include_str!("../../../aesm/tests/vectors/gramine.requests.hex");
    let request = hex::decode(recorded.lines().next().unwrap()).unwrap();
    // An InitQuoteEx request: two keys and lengths, then the id.
    let recorded = AttestationKeyId::read_from_bytes(&request[6..262]).unwrap();
    assert_eq!(recorded, AttestationKeyId::ecdsa_p256());
    assert!(recorded.names_same_key(&AttestationKeyId::ecdsa_p256()));
}

#[test]
fn a_description_names_every_byte_that_is_not_zero() {
    let report = Report::read_from_bytes(&pattern(432)).unwrap();
    let text = report.describe().to_string();
    for name in ["MRENCLAVE", "MRSIGNER", "REPORTDATA", "reserved 20", "reserved 262", "MAC"] {
        assert!(text.contains(name), "{name}\n{text}");
    }
    let zero = Report::default().describe().to_string();
    assert!(!zero.contains("reserved"), "{zero}");
}

#[test]
fn attributes_are_named() {
    let attributes = Attributes::new(Attributes::INIT | Attributes::DEBUG, 7);
    assert_eq!(attributes.to_string(), "flags 0x3 (INIT DEBUG), xfrm 0x7");
    assert!(attributes.is_debug());
}

#[test]
fn invalid_quotes_are_refused_with_a_reason() {
    let error = |bytes: &[u8]| Quote::parse(bytes).unwrap_err().to_string();
    assert_eq!(error(&[]), "the quote ends within its header: 48 bytes needed, 0 left");
    let mut bytes = vec![0; 500];
    bytes[0] = 6;
    assert!(error(&bytes).starts_with("unknown version 0x0006"));
    bytes[..4].copy_from_slice(&[3, 0, 3, 0]);
    assert!(error(&bytes).starts_with("attestation key type 3 is not supported"));
    bytes[2] = 2;
    bytes[432..436].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(error(&bytes).contains("4294967295 bytes needed, 64 left"));
}
