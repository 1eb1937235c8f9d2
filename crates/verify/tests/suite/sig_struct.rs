//! A SIGSTRUCT describes a product of a signer.

use sgx::{IsvExtProdId, IsvFamilyId, MrSigner, SigStruct, U16, U32};
use test_support::sig_struct::VendorKey;
use verify::{Decision, Policy, SigStructError, SignedProduct, Step, VerdictCode};

use crate::common::platform::Platform;
use crate::common::{SAMPLE_TIME, lenient};

/// A SIGSTRUCT of product 3 in version 4, with KSS.
fn product() -> SigStruct {
    let mut sig_struct = SigStruct::default();
    sig_struct.isv_prod_id = U16::new(3);
    sig_struct.isv_svn = U16::new(4);
    sig_struct.isv_ext_prod_id = IsvExtProdId([6; 16]);
    sig_struct.isv_family_id = IsvFamilyId([7; 16]);
    sig_struct
}

#[test]
fn a_damaged_sig_struct_is_an_error() {
    let bytes = VendorKey::new().sign(product());
    assert_eq!(bytes.len(), 1_808);
    assert!(SignedProduct::of_sig_struct(&bytes).is_ok());
    for length in [0, 1_807, 1_809] {
        let mut other = bytes.clone();
        other.resize(length, 0);
        let error = SignedProduct::of_sig_struct(&other).unwrap_err().to_string();
        assert!(error.starts_with("a SIGSTRUCT has 1808 bytes"), "{error}");
    }
    let flipped = |offset: usize| {
        let mut bytes = bytes.clone();
        bytes[offset] ^= 1;
        SignedProduct::of_sig_struct(&bytes)
    };
    for offset in (0..16).chain(24..40) {
        assert_eq!(flipped(offset), Err(SigStructError::Header), "{offset}");
    }
    // Vendor, date, reserved bytes, key, exponent, signature, MISCSELECT, MRENCLAVE, ISVSVN.
    for offset in [16, 20, 40, 44, 127, 128, 511, 512, 516, 899, 900, 960, 1_024, 1_027] {
        assert_eq!(flipped(offset), Err(SigStructError::Signature), "{offset}");
    }
    // Only the processor uses Q1 and Q2, which nobody signs.
    assert!(flipped(1_040).is_ok() && flipped(1_807).is_ok());
}

#[test]
fn another_exponent_is_an_error() {
    let key = VendorKey::new();
    let mut other = product();
    other.exponent = U32::new(65_537);
    let error = SignedProduct::of_sig_struct(&key.sign(other));
    assert_eq!(error, Err(SigStructError::Signature));
}

#[test]
fn the_product_is_accepted_in_its_version_or_a_higher_one() {
    let product = SignedProduct::of_sig_struct(&VendorKey::new().sign(product())).unwrap();
    let mr_signer = product.mr_signer;
    let mut policy = lenient();
    policy.enclave.signed_products = vec![product];
    assert!(accepts(&policy, |_| (), mr_signer));
    assert!(accepts(&policy, |body| body.isv_svn = U16::new(5), mr_signer));
    assert!(!accepts(&policy, |body| body.isv_svn = U16::new(3), mr_signer));
    assert!(!accepts(&policy, |body| body.isv_prod_id = U16::new(4), mr_signer));
    assert!(!accepts(&policy, |body| body.isv_ext_prod_id.0[0] = 0, mr_signer));
    assert!(!accepts(&policy, |body| body.isv_family_id.0[15] = 0, mr_signer));
    assert!(!accepts(&policy, |_| (), MrSigner([1; 32])));
    // One of several products is enough.
    let other = SignedProduct {
        mr_signer: MrSigner([1; 32]),
        isv_svn: 9,
        ..policy.enclave.signed_products[0].clone()
    };
    policy.enclave.signed_products.push(other);
    assert!(accepts(&policy, |_| (), mr_signer));
    assert!(!accepts(&policy, |_| (), MrSigner([1; 32])));
}

/// The decision on an enclave of this product after a change. Checks that no other step refuses.
fn accepts(
    policy: &Policy,
    change: impl FnOnce(&mut sgx::ReportBody),
    mr_signer: MrSigner,
) -> bool {
    let platform = Platform::new(|draft| {
        let body = draft.quote.body.enclave_mut().unwrap();
        body.mr_signer = mr_signer;
        body.isv_prod_id = U16::new(3);
        body.isv_svn = U16::new(4);
        body.isv_ext_prod_id = IsvExtProdId([6; 16]);
        body.isv_family_id = IsvFamilyId([7; 16]);
        change(body);
    });
    let verdict = platform.verify_at(SAMPLE_TIME, policy);
    match verdict.decision {
        Decision::Trusted => true,
        _ => {
            assert_eq!(verdict.code, VerdictCode::Policy(Step::SigStruct), "{verdict}");
            let reason = verdict.reason.unwrap();
            assert!(reason.starts_with("the enclave is MRSIGNER "), "{reason}");
            false
        }
    }
}
