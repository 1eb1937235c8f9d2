//! EGETKEY: the keys that an enclave can have.

use sgx::{Attributes, CpuSvn, KeyName, KeyPolicy, KeyRequest, U16, U32};
use zerocopy::{FromZeros, IntoBytes};
use zeroize::Zeroizing;

use crate::enclave::report_key;
use crate::key_derivation::{
    EinitTokenKeyData, ProvisionKeyData, ProvisionSealKeyData, SealKeyData, derive,
};
use crate::{Cpu, SoftwareEnclave};

/// EGETKEY refused a key (SDM 3D, 40.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EgetkeyError {
    /// `SGX_INVALID_KEYNAME`: no key has this number.
    #[error("EGETKEY knows no key with the name {0}; the names are 0 to 4")]
    KeyName(u16),
    /// `SGX_INVALID_ATTRIBUTE`: the key is not for this enclave.
    #[error("EGETKEY gives the {0:?} key only to enclaves with the attribute for it")]
    Attribute(KeyName),
    /// `SGX_INVALID_CPUSVN`: not the processor's own CPUSVN, nor one before it.
    #[error("EGETKEY gives no key for CPUSVN {0}: the processor never had it, or not yet")]
    CpuSvn(CpuSvn),
    /// `SGX_INVALID_ISVSVN`: above the enclave's own.
    #[error("EGETKEY gives no key for ISVSVN {requested}: the enclave has {own}")]
    IsvSvn {
        /// The ISVSVN of the request.
        requested: u16,
        /// The ISVSVN of the enclave.
        own: u16,
    },
    /// Also `SGX_INVALID_ISVSVN` on the processor: above the enclave's own.
    #[error("EGETKEY gives no key for CONFIGSVN {requested}: the enclave has {own}")]
    ConfigSvn {
        /// The CONFIGSVN of the request.
        requested: u16,
        /// The CONFIGSVN of the enclave.
        own: u16,
    },
    /// A general protection fault on the processor: a reserved byte or policy bit is not zero.
    #[error("EGETKEY refuses a KEYREQUEST whose reserved bits are not zero")]
    ReservedBits,
    /// A general protection fault on the processor: the request needs KSS.
    #[error("EGETKEY takes key policy {0:#x} or a CONFIGSVN only from an enclave with KSS")]
    NeedsKss(u16),
}

impl SoftwareEnclave {
    /// EGETKEY (SDM 3D, 40.4): a key of this enclave, 16 bytes.
    ///
    /// A CPUSVN of zero stands for the one of [`Cpu::Current`], as in the SDK's simulation mode.
    ///
    /// # Errors
    /// [`EgetkeyError`] when the request is malformed or the key is not for this enclave.
    pub fn key(&self, request: &KeyRequest) -> Result<Zeroizing<[u8; 16]>, EgetkeyError> {
        self.check_form(request)?;
        let number = request.key_name.get();
        let name = KeyName::from_number(number).ok_or(EgetkeyError::KeyName(number))?;
        self.check_right(name, request)?;
        let key = match name {
            KeyName::Report => {
                return Ok(report_key(&self.target_info(), self.cpu.cpu_svn(), request.key_id));
            }
            KeyName::Seal => derive(name, &self.seal_key_data(request)),
            KeyName::Provision => derive(name, &self.provision_key_data(request)),
            KeyName::ProvisionSeal => derive(name, &self.provision_seal_key_data(request)),
            KeyName::EinitToken => derive(name, &self.einit_token_key_data(request)),
        };
        Ok(Zeroizing::new(key))
    }

    fn check_form(&self, request: &KeyRequest) -> Result<(), EgetkeyError> {
        if reserved_bits(request).any(|byte| byte != 0) {
            return Err(EgetkeyError::ReservedBits);
        }
        let policy = request.key_policy.get();
        let needs_kss = policy & POLICIES_WITH_KSS != 0 || request.config_svn != 0;
        if needs_kss && self.lacks(Attributes::KSS) {
            return Err(EgetkeyError::NeedsKss(policy));
        }
        Ok(())
    }

    fn check_right(&self, name: KeyName, request: &KeyRequest) -> Result<(), EgetkeyError> {
        let attribute = match name {
            KeyName::Report => return Ok(()),
            KeyName::Seal => 0,
            KeyName::Provision | KeyName::ProvisionSeal => Attributes::PROVISION_KEY,
            KeyName::EinitToken => Attributes::EINITTOKEN_KEY,
        };
        if attribute != 0 && self.lacks(attribute) {
            return Err(EgetkeyError::Attribute(name));
        }
        let (requested, own) = (request.isv_svn.get(), self.identity.isv_svn);
        if requested > own {
            return Err(EgetkeyError::IsvSvn { requested, own });
        }
        let (requested, own) = (request.config_svn.get(), self.identity.config_svn);
        if requested > own && matches!(name, KeyName::Seal | KeyName::ProvisionSeal) {
            return Err(EgetkeyError::ConfigSvn { requested, own });
        }
        match Cpu::with_cpu_svn(cpu_svn(request)) {
            Some(cpu) if cpu <= self.cpu => Ok(()),
            _ => Err(EgetkeyError::CpuSvn(request.cpu_svn)),
        }
    }

    fn seal_key_data(&self, request: &KeyRequest) -> SealKeyData {
        let (identity, policy) = (&self.identity, request.key_policy.get());
        let no_product = policy & KeyPolicy::NOISVPRODID != 0;
        SealKeyData {
            key_name: request.key_name,
            key_policy: request.key_policy,
            attributes: self.masked_attributes(request),
            attribute_mask: request.attribute_mask,
            misc_select: self.masked_misc_select(request),
            misc_mask: U32::new(!request.misc_mask.get()),
            owner_epoch: Cpu::OWNER_EPOCH,
            cpu_svn: cpu_svn(request),
            isv_svn: request.isv_svn,
            isv_prod_id: U16::new(if no_product { 0 } else { identity.isv_prod_id }),
            config_svn: selected(policy, KeyPolicy::CONFIGID, request.config_svn),
            config_id: selected(policy, KeyPolicy::CONFIGID, identity.config_id),
            isv_family_id: selected(policy, KeyPolicy::ISVFAMILYID, identity.isv_family_id),
            isv_ext_prod_id: selected(policy, KeyPolicy::ISVEXTPRODID, identity.isv_ext_prod_id),
            mr_enclave: selected(policy, KeyPolicy::MRENCLAVE, identity.mr_enclave),
            mr_signer: selected(policy, KeyPolicy::MRSIGNER, identity.mr_signer),
            key_id: request.key_id,
            ..FromZeros::new_zeroed()
        }
    }

    /// The fields are those of the seal key, but MRSIGNER enters whatever the policy says.
    fn provision_seal_key_data(&self, request: &KeyRequest) -> ProvisionSealKeyData {
        let seal = self.seal_key_data(request);
        ProvisionSealKeyData {
            key_name: seal.key_name,
            key_policy: seal.key_policy,
            attributes: seal.attributes,
            attribute_mask: seal.attribute_mask,
            misc_select: seal.misc_select,
            misc_mask: seal.misc_mask,
            cpu_svn: seal.cpu_svn,
            isv_svn: seal.isv_svn,
            isv_prod_id: seal.isv_prod_id,
            config_svn: seal.config_svn,
            config_id: seal.config_id,
            isv_family_id: seal.isv_family_id,
            isv_ext_prod_id: seal.isv_ext_prod_id,
            mr_signer: self.identity.mr_signer,
            ..FromZeros::new_zeroed()
        }
    }

    fn provision_key_data(&self, request: &KeyRequest) -> ProvisionKeyData {
        ProvisionKeyData {
            key_name: request.key_name,
            attributes: self.masked_attributes(request),
            attribute_mask: request.attribute_mask,
            misc_select: self.masked_misc_select(request),
            misc_mask: U32::new(!request.misc_mask.get()),
            cpu_svn: cpu_svn(request),
            isv_svn: request.isv_svn,
            isv_prod_id: U16::new(self.identity.isv_prod_id),
            mr_signer: self.identity.mr_signer,
            ..FromZeros::new_zeroed()
        }
    }

    fn einit_token_key_data(&self, request: &KeyRequest) -> EinitTokenKeyData {
        EinitTokenKeyData {
            key_name: request.key_name,
            attributes: self.masked_attributes(request),
            misc_select: self.masked_misc_select(request),
            owner_epoch: Cpu::OWNER_EPOCH,
            cpu_svn: cpu_svn(request),
            isv_svn: request.isv_svn,
            isv_prod_id: U16::new(self.identity.isv_prod_id),
            mr_signer: self.identity.mr_signer,
            key_id: request.key_id,
            ..FromZeros::new_zeroed()
        }
    }

    /// INIT and DEBUG enter every key, the other attributes as the request says.
    fn masked_attributes(&self, request: &KeyRequest) -> Attributes {
        let (own, mask) = (self.identity.attributes, request.attribute_mask);
        let always = Attributes::INIT | Attributes::DEBUG;
        let flags = own.flags.get() & (mask.flags.get() | always);
        Attributes::new(flags, own.xfrm.get() & mask.xfrm.get())
    }

    fn masked_misc_select(&self, request: &KeyRequest) -> U32 {
        U32::new(self.identity.misc_select & request.misc_mask.get())
    }

    fn lacks(&self, attribute: u64) -> bool {
        self.identity.attributes.flags.get() & attribute == 0
    }
}

/// Key policies that only an enclave with key separation and sharing may use.
const POLICIES_WITH_KSS: u16 =
    KeyPolicy::NOISVPRODID | KeyPolicy::CONFIGID | KeyPolicy::ISVFAMILYID | KeyPolicy::ISVEXTPRODID;

/// The bytes that must be zero: undefined bits of the key policy, offsets 6 to 7 and 78 to 511.
fn reserved_bits(request: &KeyRequest) -> impl Iterator<Item = u8> {
    let defined = KeyPolicy::MRENCLAVE | KeyPolicy::MRSIGNER | POLICIES_WITH_KSS;
    let policy = request.key_policy.get() & !defined;
    let bytes = request.as_bytes();
    let reserved = bytes.iter().skip(6).take(2).chain(bytes.iter().skip(78));
    policy.to_le_bytes().into_iter().chain(reserved.copied())
}

fn cpu_svn(request: &KeyRequest) -> CpuSvn {
    if request.cpu_svn == CpuSvn::default() { Cpu::Current.cpu_svn() } else { request.cpu_svn }
}

/// The value if the policy selects it, else zeros.
fn selected<T: FromZeros>(policy: u16, bit: u16, value: T) -> T {
    if policy & bit == 0 { T::new_zeroed() } else { value }
}
