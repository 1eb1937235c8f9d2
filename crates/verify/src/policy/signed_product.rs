//! The product that a SIGSTRUCT describes.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use sgx::{IsvExtProdId, IsvFamilyId, MrSigner, ReportBody, SigStruct, SizeError};

/// A product of a signer, and its lowest security version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedProduct {
    /// MRSIGNER.
    pub mr_signer: MrSigner,
    /// ISVPRODID.
    pub isv_prod_id: u16,
    /// The lowest ISVSVN.
    pub isv_svn: u16,
    /// ISVEXTPRODID; zero without KSS.
    pub isv_ext_prod_id: IsvExtProdId,
    /// ISVFAMILYID; zero without KSS.
    pub isv_family_id: IsvFamilyId,
}

/// Bytes that are not a SIGSTRUCT with a valid signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SigStructError {
    /// They have the wrong size.
    #[error(transparent)]
    Size(#[from] SizeError),
    /// The constants of the header are missing.
    #[error("not a SIGSTRUCT: its header is not that of the SDM")]
    Header,
    /// The signature is not by the key inside, or not over these values.
    #[error("the signature of the SIGSTRUCT does not hold: it is damaged or not signed")]
    Signature,
}

impl SignedProduct {
    /// The product of a SIGSTRUCT of 1,808 bytes, whose signature is checked. The SIGSTRUCT brings
    /// its own key: to trust it is the choice of the caller.
    ///
    /// # Errors
    /// [`SigStructError`].
    pub fn of_sig_struct(bytes: &[u8]) -> Result<Self, SigStructError> {
        let sig_struct: SigStruct = sgx::parse("a SIGSTRUCT", bytes)?;
        let headers = (sig_struct.header, sig_struct.header_2);
        if headers != (SigStruct::HEADER, SigStruct::HEADER_2) {
            return Err(SigStructError::Header);
        }
        check_signature(&sig_struct)?;
        let mut mr_signer = MrSigner::default();
        mr_signer.0.copy_from_slice(digest(&SHA256, &sig_struct.modulus).as_ref());
        Ok(Self {
            mr_signer,
            isv_prod_id: sig_struct.isv_prod_id.get(),
            isv_svn: sig_struct.isv_svn.get(),
            isv_ext_prod_id: sig_struct.isv_ext_prod_id,
            isv_family_id: sig_struct.isv_family_id,
        })
    }

    /// The product of an enclave, and its security version.
    pub(super) fn of_enclave(enclave: &ReportBody) -> Self {
        Self {
            mr_signer: enclave.mr_signer,
            isv_prod_id: enclave.isv_prod_id.get(),
            isv_svn: enclave.isv_svn.get(),
            isv_ext_prod_id: enclave.isv_ext_prod_id,
            isv_family_id: enclave.isv_family_id,
        }
    }

    /// True if `other` is this product in this security version or a higher one.
    pub(super) fn accepts(&self, other: &Self) -> bool {
        let in_this_version = Self { isv_svn: self.isv_svn, ..other.clone() };
        in_this_version == *self && other.isv_svn >= self.isv_svn
    }
}

/// Checks the signature under the key in the SIGSTRUCT.
fn check_signature(sig_struct: &SigStruct) -> Result<(), SigStructError> {
    let SigStruct { mut modulus, exponent, mut signature, .. } = *sig_struct;
    if exponent.get() != 3 {
        return Err(SigStructError::Signature);
    }
    // The library has big-endian numbers.
    modulus.reverse();
    signature.reverse();
    let key = RsaPublicKeyComponents { n: &modulus[..], e: &[3][..] };
    let signed = sig_struct.signed_bytes();
    let outcome = key.verify(&RSA_PKCS1_2048_8192_SHA256, &signed, &signature);
    outcome.map_err(|_| SigStructError::Signature)
}

impl fmt::Display for SignedProduct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mr_signer, isv_prod_id, isv_svn, isv_ext_prod_id, isv_family_id } = self;
        write!(f, "MRSIGNER {mr_signer} ISVPRODID {isv_prod_id} ISVSVN {isv_svn}")?;
        if *isv_ext_prod_id != IsvExtProdId::default() {
            write!(f, " ISVEXTPRODID {isv_ext_prod_id}")?;
        }
        if *isv_family_id != IsvFamilyId::default() {
            write!(f, " ISVFAMILYID {isv_family_id}")?;
        }
        Ok(())
    }
}
