//! Sources, and the settings from the same origin.

use std::time::Duration;

use super::{CollateralForm, Origin, Retry, SourceSettings};
use crate::TcbUpdate;

/// Sources, and the settings from the same origin.
pub(super) struct Base {
    pub(super) sources: Vec<SourceSettings>,
    pub(super) origin: Origin,
    pub(super) retry: Option<Retry>,
    pub(super) evaluation: Option<TcbUpdate>,
    pub(super) collateral_form: Option<CollateralForm>,
    pub(super) pck_max_age: Option<Duration>,
    pub(super) collateral_max_age: Option<Duration>,
    pub(super) notes: Vec<String>,
}

impl Base {
    /// These sources without further settings.
    pub(super) fn new(sources: Vec<SourceSettings>, origin: Origin) -> Self {
        Self {
            sources,
            origin,
            retry: None,
            evaluation: None,
            collateral_form: None,
            pck_max_age: None,
            collateral_max_age: None,
            notes: Vec::new(),
        }
    }
}
