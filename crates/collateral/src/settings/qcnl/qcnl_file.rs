//! All keys of `sgx_default_qcnl.conf`.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::super::{CollateralForm, ServiceUrl};
use super::values::{self, RequestOptions};
use crate::TcbUpdate;

/// The settings in the file, under the names of its JSON format.
#[derive(Default)]
pub(super) struct QcnlFile {
    pub(super) pccs_url: Option<ServiceUrl>,
    pub(super) use_secure_cert: Option<bool>,
    pub(super) collateral_service: Option<ServiceUrl>,
    pub(super) tcb_update_type: Option<TcbUpdate>,
    pub(super) pccs_api_version: Option<CollateralForm>,
    /// 0 if it is not set.
    pub(super) retry_times: u32,
    pub(super) retry_delay: Option<Duration>,
    pub(super) local_pck_url: Option<ServiceUrl>,
    pub(super) pck_cache_expire_hours: Option<Duration>,
    pub(super) verify_collateral_cache_expire_hours: Option<Duration>,
    pub(super) local_cache_only: bool,
    pub(super) custom_request_options: RequestOptions,
    pub(super) unknown_keys: Vec<String>,
}

/// A file that cannot be understood.
pub(super) struct QcnlError {
    /// From 1; `None` if it is not known.
    pub(super) line: Option<usize>,
    pub(super) problem: String,
}

impl QcnlFile {
    /// Sets the value of a key. Returns false if the key is unknown.
    pub(super) fn set<'de, D: Deserializer<'de>>(
        &mut self,
        key: &str,
        value: D,
    ) -> Result<bool, D::Error> {
        match key {
            "pccs_url" => self.pccs_url = values::url(value)?,
            "use_secure_cert" => self.use_secure_cert = Some(bool::deserialize(value)?),
            "collateral_service" => self.collateral_service = values::url(value)?,
            "tcb_update_type" => self.tcb_update_type = Some(values::update_type(value)?),
            "pccs_api_version" => self.pccs_api_version = Some(values::api_version(value)?),
            "retry_times" => self.retry_times = values::retry_times(value)?,
            "retry_delay" => self.retry_delay = Some(values::retry_delay(value)?),
            "local_pck_url" => self.local_pck_url = values::url(value)?,
            "pck_cache_expire_hours" => self.pck_cache_expire_hours = Some(values::hours(value)?),
            "verify_collateral_cache_expire_hours" => {
                self.verify_collateral_cache_expire_hours = Some(values::hours(value)?);
            }
            "local_cache_only" => self.local_cache_only = bool::deserialize(value)?,
            "custom_request_options" => {
                self.custom_request_options = values::request_options(value)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}
