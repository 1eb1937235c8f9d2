//! The outcome of a test of the quote service.

use k8s_openapi::api::core::v1::NodeCondition;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;

use crate::device_plugin::node_status::QUOTE_SERVICE_CONDITION;

/// The maximum length of a message, in characters.
const MAX_MESSAGE: usize = 1_000;

/// The reason why a quote service is not ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceProblem {
    /// A word in upper camel case, for programs.
    pub reason: &'static str,
    /// A sentence, for people.
    pub message: String,
}

/// The outcome, as in a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) status: &'static str,
    pub(super) reason: &'static str,
    pub(super) message: String,
}

impl Verdict {
    pub(super) fn of(result: Result<(), ServiceProblem>) -> Self {
        match result {
            Ok(()) => Self {
                status: "True",
                reason: "MakesQuotes",
                message: "the quote service answers requests for quotes".to_owned(),
            },
            Err(ServiceProblem { reason, message }) => Self {
                status: "False",
                reason,
                message: message.chars().take(MAX_MESSAGE).collect(),
            },
        }
    }

    /// The verdict of a plugin that ends.
    pub(super) fn stopped() -> Self {
        Self {
            status: "Unknown",
            reason: "DevicePluginStopped",
            message: "the device plugin, which tests the quote service, has stopped".to_owned(),
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.status == "True"
    }

    pub(super) fn is_unknown(&self) -> bool {
        self.status == "Unknown"
    }

    /// The condition, which has had this status since then.
    pub(super) fn condition(&self, heartbeat: Timestamp, since: Timestamp) -> NodeCondition {
        NodeCondition {
            type_: QUOTE_SERVICE_CONDITION.to_owned(),
            status: self.status.to_owned(),
            reason: Some(self.reason.to_owned()),
            message: Some(self.message.clone()),
            last_heartbeat_time: Some(Time(heartbeat)),
            last_transition_time: Some(Time(since)),
        }
    }
}
