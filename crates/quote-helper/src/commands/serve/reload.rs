//! SIGHUP: reads the configuration again, and replaces the workers, since libraries may have been
//! updated.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use service::{Limits, Rules, WorkerQuoter};
use tokio::sync::watch;
use tracing::{error, info};

use super::descriptors;
use super::limit_metrics::LimitMetrics;
use super::validation::Validation;
use super::worker_settings::WorkerSettings;
use crate::failure::explain;
use crate::reload::Changes;
use crate::service_manager::ServiceManager;
use crate::settings::Settings;

/// The settings that a reload applies. The others apply to a new instance.
const RELOADED: [&str; 12] = [
    "max_connections",
    "max_connections_per_caller",
    "max_queued_quotes",
    "max_queued_quotes_per_caller",
    "request_timeout",
    "quote_timeout",
    "reply_timeout",
    "idle_timeout",
    "allowed_uids",
    "allowed_mrsigners",
    "allowed_mrenclaves",
    "refuse_debug",
];

/// A service whose configuration can change.
pub(super) struct Reload {
    /// The settings of the command line and the environment, which stay.
    pub(super) given: Settings,
    pub(super) config: Option<PathBuf>,
    /// The settings at the start.
    pub(super) started: Settings,
    /// The settings that were read last.
    pub(super) last: Mutex<Settings>,
    pub(super) rules: watch::Sender<Rules>,
    pub(super) limits: LimitMetrics,
    pub(super) workers: Option<(Arc<WorkerQuoter>, WorkerSettings)>,
    pub(super) validation: Validation,
}

/// The limits and the policy that these settings mean.
pub(super) fn rules(settings: &Settings, limits: Limits) -> Rules {
    Rules { limits, policy: settings.policy() }
}

impl Reload {
    /// Reloads at each SIGHUP; `serving` is the state of the service afterwards.
    ///
    /// # Errors
    /// When the signal cannot be received.
    pub(super) fn on_hangup(
        self,
        manager: ServiceManager,
        serving: &'static str,
    ) -> io::Result<()> {
        let reload = Arc::new(self);
        crate::reload::on_hangup(manager, serving, move || {
            let reload = Arc::clone(&reload);
            async move { reload.run().await }
        })
    }

    /// Reads the configuration, applies it if all of it is good, and replaces the workers.
    ///
    /// # Errors
    /// If it is wrong; then nothing changes.
    async fn run(&self) -> anyhow::Result<Changes> {
        let settings = self.given.clone().complete(self.config.as_deref())?;
        let mut changes = self.changes(&settings);
        if !changes.applied.is_empty() {
            let limits = descriptors::limits(&settings);
            self.limits.set(&limits);
            self.rules.send_replace(rules(&settings, limits));
        }
        *self.last.lock() = settings;
        if let Some((workers, settings)) = &self.workers
            && self.replace(workers, settings).await
        {
            changes.applied.push("workers (replaced)".to_owned());
        }
        Ok(changes)
    }

    /// Replaces the workers, whose libraries may have been updated, if a new one passes the
    /// conformance run.
    async fn replace(&self, workers: &WorkerQuoter, settings: &WorkerSettings) -> bool {
        if let Err(error) = self.validation.of_new_worker(settings).await {
            error!(reason = %explain(&error), "the old workers stay: a new one would not serve every client");
            return false;
        }
        info!("replacing the workers");
        workers.replace();
        workers.replaced().await;
        true
    }

    fn changes(&self, new: &Settings) -> Changes {
        let is_reloaded = |name: &&str| RELOADED.contains(name);
        let last = self.last.lock();
        let applied = last.changes(new).into_iter().filter(is_reloaded);
        let pending = self.started.changes(new).into_iter().filter(|name| !is_reloaded(name));
        Changes {
            applied: applied.map(str::to_owned).collect(),
            pending: pending.map(str::to_owned).collect(),
        }
    }
}
