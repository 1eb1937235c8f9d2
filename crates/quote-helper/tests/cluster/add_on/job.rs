//! The sample Jobs.

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use super::succeeds;
use crate::cluster::{eventually, kubectl, try_kubectl};

/// A Job of the cluster; deleted when dropped.
pub(super) struct Job {
    name: String,
    /// kubectl's output at its creation, including warnings.
    pub(super) said: String,
}

impl Job {
    /// The sample of this name in `deploy/samples`.
    #[track_caller]
    pub(super) fn of_sample(name: &str) -> Self {
        Self::create(&sample(name))
    }

    #[track_caller]
    pub(super) fn create(job: &Value) -> Self {
        let name = job["metadata"]["name"].as_str().unwrap().to_owned();
        let said = succeeds(&try_kubectl(&["apply", "-f=-"], &job.to_string()));
        Self { name, said }
    }

    /// Waits until it has succeeded.
    #[track_caller]
    pub(super) fn completes(&self) {
        eventually("the Job completes", || {
            let status = self.status();
            assert!(status["failed"].is_null(), "{}", self.logs());
            (status["succeeded"] == 1).then_some(())
        });
    }

    /// Waits until it has ended.
    #[track_caller]
    pub(super) fn ends(&self) {
        eventually("the Job ends", || {
            let status = self.status();
            (!status["succeeded"].is_null() || !status["failed"].is_null()).then_some(())
        });
    }

    /// Waits until the container has printed this.
    #[track_caller]
    pub(super) fn says(&self, container: &str, text: &str) {
        let arguments = ["logs", &format!("job/{}", self.name), "-c", container];
        eventually(text, || {
            let log = try_kubectl(&arguments, "").stdout;
            String::from_utf8_lossy(&log).contains(text).then_some(())
        });
    }

    /// True while it runs.
    pub(super) fn is_active(&self) -> bool {
        self.status()["active"] == 1
    }

    /// The output of the container.
    #[track_caller]
    pub(super) fn log(&self, container: &str) -> String {
        kubectl(&["logs", &format!("job/{}", self.name), "-c", container], "")
    }

    /// The quote in base64 that the container has printed.
    #[track_caller]
    pub(super) fn quote(&self, container: &str) -> String {
        let log = self.log(container);
        let quote = log.lines().find_map(|line| line.strip_prefix("quote: "));
        quote.unwrap_or_else(|| panic!("no quote: {log}")).to_owned()
    }

    fn status(&self) -> Value {
        let job = kubectl(&["get", "job", &self.name, "-o=json"], "");
        serde_json::from_str::<Value>(&job).unwrap()["status"].take()
    }

    fn logs(&self) -> String {
        let arguments = ["logs", &format!("job/{}", self.name), "--all-containers"];
        let Output { stdout, .. } = try_kubectl(&arguments, "");
        String::from_utf8_lossy(&stdout).into_owned()
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        let delete = ["delete", "job", &self.name, "--cascade=foreground", "--ignore-not-found"];
        let deleted = try_kubectl(&delete, "");
        assert!(deleted.status.success() || std::thread::panicking(), "{deleted:?}");
    }
}

/// The Job of this file in `deploy/samples`; it is not tried again.
#[track_caller]
pub(super) fn sample(name: &str) -> Value {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/samples");
    let yaml = std::fs::read_to_string(samples.join(name)).unwrap();
    let mut job: Value = serde_saphyr::from_str(&yaml).unwrap();
    job["spec"]["backoffLimit"] = json!(0);
    if let Ok(image) = std::env::var("SAMPLE_IMAGE") {
        let pod = &mut job["spec"]["template"]["spec"];
        for container in pod["containers"].as_array_mut().unwrap() {
            container["image"] = json!(image);
        }
    }
    job
}
