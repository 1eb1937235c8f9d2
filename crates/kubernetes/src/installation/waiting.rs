//! Waits until the pods of an installation are ready.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use k8s_openapi::api::core::v1::{Event, Pod};
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use tokio::time::{Instant, sleep};

use super::Progress;
use super::error::InstallationError;
use super::kind::ObjectName;
use super::rollout::Rollout;
use crate::api_server::{ApiError, ApiServer};
use crate::pod_problem::{PodProblem, one_line};

/// The polling interval.
const PERIOD: Duration = Duration::from_secs(1);
/// The maximum number of pods to report for a workload; the others seldom have another problem.
const MAX_PODS: usize = 10;

/// Waits for DaemonSets and Deployments, with a timeout.
pub(super) struct ReadinessWait<'a> {
    pub(super) api_server: &'a ApiServer,
    pub(super) progress: &'a Progress,
    pub(super) timeout: Duration,
}

/// The state of a workload.
struct WorkloadStatus {
    rollout: Rollout,
    problems: Vec<PodProblem>,
}

impl ReadinessWait<'_> {
    /// Waits until all pods of these objects are ready and up to date.
    pub(super) async fn until_ready(
        &self,
        objects: &[ObjectName],
    ) -> Result<(), InstallationError> {
        let begin = Instant::now();
        let mut reported = Reported::default();
        loop {
            let mut states = Vec::new();
            for object in objects {
                let state = self.observe(object).await;
                self.report(&mut reported, object, &state);
                states.push((object, state));
            }
            if states.iter().all(|(_, state)| state.as_ref().is_ok_and(|it| it.rollout.is_done())) {
                return Ok(());
            }
            if let Some(error) = self.fatal(&mut states) {
                return Err(error);
            }
            if begin.elapsed() >= self.timeout {
                return Err(self.not_ready(states));
            }
            sleep(PERIOD).await;
        }
    }

    async fn observe(&self, object: &ObjectName) -> Result<WorkloadStatus, ApiError> {
        let namespace = object.namespace.as_deref().unwrap_or_default();
        let client = self.api_server.client();
        let rollout = match object.kind.name() {
            "DaemonSet" => {
                let daemon_sets = Api::namespaced(client, namespace);
                let daemon_set = self.api_server.ask(daemon_sets.get(&object.name)).await?;
                Rollout::of_daemon_set(&daemon_set)
            }
            _ => {
                let deployments = Api::namespaced(client, namespace);
                let deployment = self.api_server.ask(deployments.get(&object.name)).await?;
                Rollout::of_deployment(&deployment)
            }
        };
        let problems = match rollout.is_done() {
            true => Vec::new(),
            false => self.problems(namespace, &rollout).await?,
        };
        Ok(WorkloadStatus { rollout, problems })
    }

    async fn problems(
        &self,
        namespace: &str,
        rollout: &Rollout,
    ) -> Result<Vec<PodProblem>, ApiError> {
        let pods = Api::<Pod>::namespaced(self.api_server.client(), namespace);
        let selected = ListParams::default().labels(&rollout.selector);
        let is_ailing = |pod: &Pod| PodProblem::of(pod, &[]).is_some();
        let ailing = self.api_server.list(&pods, &selected, is_ailing).await?;
        let mut problems = Vec::new();
        for pod in ailing.iter().take(MAX_PODS) {
            let events = self.warnings(namespace, pod).await.unwrap_or_default();
            problems.extend(PodProblem::of(pod, &events));
        }
        Ok(problems)
    }

    /// The pod's warning events, if they may be read.
    async fn warnings(&self, namespace: &str, pod: &Pod) -> Option<Vec<Event>> {
        let events = Api::<Event>::namespaced(self.api_server.client(), namespace);
        let about = format!("involvedObject.uid={},type=Warning", pod.uid()?);
        let selected = ListParams::default().fields(&about);
        self.api_server.list(&events, &selected, |_| true).await.ok()
    }

    /// Reports changes.
    fn report(
        &self,
        reported: &mut Reported,
        object: &ObjectName,
        state: &Result<WorkloadStatus, ApiError>,
    ) {
        let lines = match state {
            Ok(state) => {
                let line = format!("{}: {}", object.name, state.rollout);
                let problems = state.problems.iter().filter(|it| !it.is_transient());
                let problems = problems.map(|it| format!("{}: {}", it.place(), it.reason));
                (line, problems.collect())
            }
            Err(error) => (format!("{}: {error}", object.name), Vec::new()),
        };
        for line in reported.news(object, lines) {
            (self.progress)(&one_line(&line));
        }
    }

    /// An error that waiting does not resolve: a missing permission or object.
    fn fatal(
        &self,
        states: &mut Vec<(&ObjectName, Result<WorkloadStatus, ApiError>)>,
    ) -> Option<InstallationError> {
        let is_fatal = |state: &Result<WorkloadStatus, ApiError>| {
            state.as_ref().err().is_some_and(|error| !error.is_transient())
        };
        let index = states.iter().position(|(_, state)| is_fatal(state))?;
        let (object, state) = states.swap_remove(index);
        let doing = format!("get the state of {object}");
        state.err().map(|source| InstallationError::Api { doing, source })
    }

    fn not_ready(
        &self,
        states: Vec<(&ObjectName, Result<WorkloadStatus, ApiError>)>,
    ) -> InstallationError {
        let mut workloads = Vec::new();
        let mut pods = Vec::new();
        for (object, state) in states {
            match state {
                Ok(state) if state.rollout.is_done() => {}
                Ok(state) => {
                    workloads.push(format!("{object}: {}", state.rollout));
                    pods.extend(state.problems);
                }
                Err(error) => workloads.push(format!("{object}: {error}")),
            }
        }
        InstallationError::NotReady { timeout: self.timeout, workloads, pods }
    }
}

/// The reports so far.
#[derive(Default)]
struct Reported {
    /// The last reported state of each object.
    states: BTreeMap<String, String>,
    /// Problems, each reported once.
    problems: BTreeSet<String>,
}

impl Reported {
    fn news(&mut self, object: &ObjectName, lines: (String, Vec<String>)) -> Vec<String> {
        let (state, problems) = lines;
        let mut news = Vec::new();
        if self.states.get(&object.to_string()) != Some(&state) {
            self.states.insert(object.to_string(), state.clone());
            news.push(state);
        }
        news.extend(problems.into_iter().filter(|line| self.problems.insert(line.clone())));
        news
    }
}
